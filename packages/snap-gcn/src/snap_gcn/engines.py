"""Score the graphs of a file in parts, so that memory does not grow with the file."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.console import Advance
from snap_catalog.parquet import column_names
from snap_catalog.streams import Part, Stream, writing

from snap_gcn.data.views import COLUMNS
from snap_gcn.model import prior
from snap_gcn.predictor import ROWS, Predictor
from snap_gcn.threads import in_order

Engine = Literal["local", "ray"]
FilePath: TypeAlias = str | os.PathLike[str]

_RAY = {
    # Under `uv run` every worker would otherwise set up an environment of its own.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
"""Environment variables that Ray reads on import."""


def predict_file(
    predictor: Predictor,
    graphs: FilePath,
    out: FilePath,
    advance: Advance,
    engine: Engine = "local",
) -> None:
    """Score a file of the `graphs` contract into a file of the `scores` contract, atomically.

    Rows keep their order; `advance` is called with the number of architectures just scored.

    Raises:
        SnapError: a file cannot be read or written, or an operator has no vector.
    """
    stream = Stream(graphs, "graphs", columns_to_read(graphs))
    scored = _by_ray if engine == "ray" else _by_threads
    with writing(out, "scores", predictor.schema, producer="snap-gcn") as append:
        for table in predictor.settled(scored(predictor, stream, str(graphs))):
            append(table)
            advance(table.num_rows)


def columns_to_read(graphs: FilePath) -> list[str]:
    """Return the columns that a predictor reads from a file of the `graphs` contract."""
    return [*COLUMNS, *(name for name in column_names(graphs) if name in prior.COLUMNS)]


def _by_threads(predictor: Predictor, stream: Stream, source: str) -> Iterator[pa.Table]:
    def scored(part: Part) -> pa.Table:
        stream.check(part)
        return predictor.score_part(part.table, source)

    return in_order(scored, stream.parts(ROWS), predictor.workers)


def _by_ray(predictor: Predictor, stream: Stream, source: str) -> Iterator[pa.Table]:
    """Check the file in this process, and score it on the workers of a Ray cluster."""
    for name, value in _RAY.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise SnapError(
            "--engine ray: run: pip install 'snap-gcn[ray]', or leave it out"
        ) from error
    for part in stream.parts(ROWS):
        stream.check(part)
    with _cluster() as cores:
        scored = ray.data.read_parquet(source, columns=columns_to_read(source)).map_batches(
            _Worker,
            fn_constructor_args=(predictor, source),
            batch_size=ROWS,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=cores),
        )
        try:
            yield from scored.iter_batches(batch_size=None, batch_format="pyarrow")
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, SnapError):
                raise error.cause from None
            raise


@contextmanager
def _cluster() -> Iterator[int]:
    """Join the running cluster, or start one on this machine; yield its number of cores."""
    import ray

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    mine = not ray.is_initialized()
    ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    try:
        yield int(ray.cluster_resources()["CPU"])  # type: ignore[no-untyped-call]
    finally:
        if mine:
            ray.shutdown()


class _Worker:
    """The state of a Ray worker."""

    def __init__(self, predictor: Predictor, source: str) -> None:
        self._predictor, self._source = predictor, source

    def __call__(self, table: pa.Table) -> pa.Table:
        return self._predictor.score_part(table, self._source)
