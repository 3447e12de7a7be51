# Searches NAS-Bench-201 with the bundled predictor: docker build -t snap . && docker run --rm snap
FROM python:3.11-slim
RUN pip install --no-cache-dir uv
RUN useradd --create-home snap && install --directory --owner=snap /snap
USER snap
WORKDIR /snap
COPY --chown=snap . .
ENV UV_NO_CACHE=1
RUN uv sync --compile-bytecode
CMD ["uv", "run", "--no-sync", "snap-evo", "run", "--space", "nb201"]
