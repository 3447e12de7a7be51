"""Average repeated measurements, or write each to its own column."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from snap_graphs.cell import Cell
from snap_graphs.formats.base import CHUNK, Chunk, Request

Doubles = npt.NDArray[np.float64]
Measured = Mapping[str, Sequence[float]]
"""The measurements of an architecture: one value per repeat, by metric."""


def repeat_columns(name: str, values: Doubles, request: Request) -> dict[str, Doubles]:
    """Return the columns of one metric.

    Args:
        name: the metric.
        values: (n, repeats) measurements; NaN if there was none.
        request: whether to average repeats.

    Returns:
        (n,) values by column: the mean over repeats, or one column per repeat (`name#0`, ...).
    """
    if request.repeat == "all":
        return {f"{name}#{i}": values[:, i] for i in range(values.shape[1])}
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    total = np.where(there, values, 0.0).sum(axis=1)
    return {name: np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)}


def chunked(
    architectures: Iterable[tuple[str, Cell, Measured]], request: Request
) -> Iterator[Chunk]:
    """Group architectures into chunks.

    Args:
        architectures: native string, cell and measurements of each.
        request: whether to average repeats.
    """
    stream = iter(architectures)
    while batch := list(itertools.islice(stream, CHUNK)):
        arch_ids, cells, measured = (list(part) for part in zip(*batch, strict=True))
        yield Chunk(cells, arch_ids, collect(measured, request))


def collect(measured: Sequence[Measured], request: Request) -> dict[str, Doubles]:
    """Return the metric columns of architectures.

    Args:
        measured: the measurements of each.
        request: whether to average repeats.
    """
    columns: dict[str, Doubles] = {}
    for name in dict.fromkeys(itertools.chain(*measured)):
        repeats = [entry.get(name, ()) for entry in measured]
        values = np.full((len(repeats), max(map(len, repeats))), np.nan)
        for row, found in enumerate(repeats):
            values[row, : len(found)] = found
        columns |= repeat_columns(name, values, request)
    return columns
