"""NAS-Bench-Graph's light files: `<dataset>.bench`, as the wheel `nas-bench-graph` holds them.

A file is a pickle of `{key: {valid_perf, perf, latency, para}}`: fractions, seconds and millions
of parameters. A key's decimal digits are the architecture (`snap_graphs.spaces.nb_graph`).
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.archives import members
from snap_graphs.formats.base import CHUNK, Chunk, Format, Request
from snap_graphs.formats.pickles import NUMPY, loads_pickle
from snap_graphs.spaces.nb_graph import NasBenchGraph

_SUFFIX = ".bench"
_FILE_LIMIT = 1 << 26
_SPACE = NasBenchGraph()
_FIELDS = {
    "valid_perf": ("valid/accuracy", 100.0),
    "perf": ("test/accuracy", 100.0),
    "latency": ("model/latency", 1.0),
    "para": ("model/params", 1e6),
}
"""By field: the metric, and the factor that makes it percent, seconds or parameters."""
_SCORE = {"proteins": "rocauc"}
"""Metric instead of accuracy, by dataset."""

_Row = Mapping[str, float]


class NasBenchGraphFiles(Format):
    """A folder of `.bench` files, one of them, or the wheel that holds them."""

    title = "NAS-Bench-Graph's <dataset>.bench (a file, a folder of them, or the wheel)"
    benchmark = "nb-graph"

    def recognises(self, path: Path) -> bool:
        """Return whether the names match."""
        if path.is_dir():
            return next(path.rglob(f"*{_SUFFIX}"), None) is not None
        return path.is_file() and path.suffix in (_SUFFIX, ".whl")

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the architectures in the order of their keys; all datasets are read first."""
        rows: dict[str, dict[int, _Row]] = {}
        for dataset, content in _files(path):
            request.advance(len(content))
            source = path if path.suffix == _SUFFIX else path / f"{dataset}{_SUFFIX}"
            rows[dataset] = dict(_rows(source, dataset, content, request))
        keys = sorted(set().union(*rows.values()))
        for first in range(0, len(keys), CHUNK):
            part = keys[first : first + CHUNK]
            cells = [_cell(key) for key in part]
            yield Chunk(cells, [_SPACE.format(cell) for cell in cells], _columns(part, rows))


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix == _SUFFIX:
        yield path.stem, path.read_bytes()
        return
    for name, content in members(path, _FILE_LIMIT):
        if name.endswith(_SUFFIX):
            yield Path(name).stem, content


def _rows(path: Path, dataset: str, content: bytes, request: Request) -> Iterator[tuple[int, _Row]]:
    entries = loads_pickle(content, str(path), NUMPY)
    if not isinstance(entries, dict):
        raise SnapError(f"{path}: not laid out as nas-bench-graph 1.4.0; fetch the wheel again")
    for number, (key, entry) in enumerate(entries.items(), start=1):
        with request.reading(path, number):
            _cell(key)
            yield key, _row(dataset, entry)


def _row(dataset: str, entry: Any) -> _Row:
    row = {}
    for field, (metric, factor) in _FIELDS.items():
        value = float(entry[field])
        if not math.isfinite(value):
            raise SnapError(f"{field} is not finite")
        name = metric.replace("accuracy", _SCORE.get(dataset, "accuracy"))
        row[f"{dataset}/{name}"] = value * factor
    return row


def _cell(key: Any) -> Cell:
    digits = [int(digit) for digit in f"{key:05d}"] if type(key) is int and key >= 0 else []
    if len(digits) != len(_SPACE.options) or any(
        digit >= options for digit, options in zip(digits, _SPACE.options, strict=True)
    ):
        raise SnapError(f"the key {key!r} is not an architecture")
    return _SPACE.compose(digits)


def _columns(
    keys: list[int], rows: Mapping[str, Mapping[int, _Row]]
) -> dict[str, npt.NDArray[np.float64]]:
    columns: dict[str, npt.NDArray[np.float64]] = {}
    for entries in rows.values():
        names = next(iter(entries.values()), {})
        for name in names:
            values = [entries[key][name] if key in entries else math.nan for key in keys]
            columns[name] = np.array(values)
    return columns
