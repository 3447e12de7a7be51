"""Read the networks of ONNX files as graphs."""

import mmap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from snap_catalog import Benchmark, SnapError
from snap_catalog.extras import require
from snap_catalog.unpacking import magic

from snap_graphs.formats.archives import members
from snap_graphs.formats.base import Chunk, Format, Request, fault
from snap_graphs.formats.onnx.graph import Shape
from snap_graphs.formats.onnx.layers import read_layers
from snap_graphs.formats.onnx.model import read_graph
from snap_graphs.formats.onnx.outline import outline
from snap_graphs.formats.protobuf import Buffer
from snap_graphs.networks import Network, assembled
from snap_graphs.networks.table import check_space

_SUFFIX = ".onnx"


class OnnxFiles(Format):
    """An ONNX file, or all of them in a folder or zip file; other files there are ignored."""

    title: ClassVar[str] = f"an ONNX file ({_SUFFIX}), or a folder or zip file of such"
    benchmark: ClassVar[str] = "onnx"

    def recognises(self, path: Path) -> bool:
        """Return whether the suffix is `.onnx`, a folder has such files, or it is a zip file."""
        if path.is_dir():
            return any(path.rglob(f"*{_SUFFIX}"))
        return path.is_file() and (path.suffix == _SUFFIX or magic(path).startswith(b"PK"))

    def files(self, path: Path) -> list[Path]:
        """Return the ONNX files of a folder, without files of external weights."""
        return sorted(path.rglob(f"*{_SUFFIX}")) if path.is_dir() else [path]

    def facts(self, path: Path) -> Benchmark:
        """Return a benchmark without metrics; its space has the name of the source."""
        return Benchmark(
            name=self.benchmark,
            space=path.resolve().stem,
            title=f"networks of {path.name}",
            licence="not stated",
            citation="",
            metrics=(),
        )

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield all networks in one chunk, named like their files without the suffix."""
        require("snap-graphs[onnx]", "onnx")
        check_space(request.space or self.facts(path).space)
        networks: dict[str, Network] = {}
        for name, content in self._models(path, request):
            try:
                networks[name.removesuffix(_SUFFIX)] = read_network(content, request.inputs)
            except SnapError as error:
                if path.suffix == _SUFFIX and path.is_file():
                    raise SnapError(f"{path}: {error}") from error
                request.bad(path, name, error)
            request.advance(len(content))
        yield Chunk([], list(networks), {}, networks=tuple(networks.values()))

    def _models(self, path: Path, request: Request) -> Iterator[tuple[str, Buffer]]:
        if path.is_file() and path.suffix != _SUFFIX:
            yield from members(path, suffix=_SUFFIX)
            return
        for file in self.files(path):
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            if file.is_symlink() or not file.is_file():
                request.bad(path, name, SnapError("it is a link or no regular file; refused"))
                continue
            with _mapped(file) as content:
                yield name, content


def read_network(content: Buffer, inputs: Sequence[Shape] = ()) -> Network:
    """Read one model as a graph of operators.

    Args:
        content: the content of the file.
        inputs: shapes of the network's inputs without the batch, for models that leave them open.

    Raises:
        SnapError: the model is refused; gives the reason in one line.
    """
    try:
        return assembled(read_layers(read_graph(outline(content), inputs)))
    except (SnapError, MemoryError):
        raise
    except Exception as error:  # a damaged model can raise anything
        raise SnapError(f"it is no ONNX model that can be read ({fault(error)})") from error


@contextmanager
def _mapped(file: Path) -> Iterator[Buffer]:
    """Map a file into memory, so that only accessed parts are read."""
    with file.open("rb") as stream:
        if not file.stat().st_size:
            yield b""
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content
