"""NAS-Bench-201 as `torch.save` wrote it: `NAS-Bench-201-v1_0-e61699.pth`, `…-v1_1-096897.pth`.

A dictionary whose `arch2infos` holds, by index, the measurements after 12 (`less`) and 200 epochs
(`full`); the layout is that of the benchmark's own reader (`nas_201_api/api_201.py`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snap_catalog import SnapError

from snap_graphs.formats.base import MALFORMED, Chunk, Format, Request, fault
from snap_graphs.formats.nats import Architecture, architecture
from snap_graphs.formats.repeats import chunked
from snap_graphs.formats.torch_files import is_torch, load_torch
from snap_graphs.spaces.nb201 import NasBench201


class NasBench201Pth(Format):
    """The benchmark's `.pth` file, loaded without torch. All of it is in memory at once."""

    title = "NAS-Bench-201-v1_*.pth"
    benchmark = "nb201"

    def recognises(self, path: Path) -> bool:
        """Return whether torch wrote the file."""
        return path.is_file() and is_torch(path)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the architectures in the order of their indices."""
        content = load_torch(path)
        request.advance(path.stat().st_size)
        entries = content.get("arch2infos") if type(content) is dict else None
        if type(entries) is not dict:
            raise SnapError(f"{path}: not laid out as NAS-Bench-201; it has no arch2infos")
        return chunked(_architectures(path, entries, request), request)


def _architectures(path: Path, entries: dict[Any, Any], request: Request) -> Iterator[Architecture]:
    seen: set[str] = set()
    for index, budgets in entries.items():
        try:
            yield architecture(NasBench201(), budgets, request, seen)
        except (SnapError, *MALFORMED) as error:
            request.bad(path, index, fault(error))
