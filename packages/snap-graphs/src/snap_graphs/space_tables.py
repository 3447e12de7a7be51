"""Tables of a whole space, or of a sample of it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.base import CHUNK
from snap_graphs.spaces import Space, space
from snap_graphs.spaces.nb101 import module_hash
from snap_graphs.table import graph_table


def list_space(
    name: str | Space, advance: Callable[[int], None], *, hashes: bool = False
) -> pa.Table:
    """Build the table of every cell of a space.

    Args:
        name: the space, its name, or the file that defines it.
        advance: called with the number of cells just done.
        hashes: add `module_hash`, for NAS-Bench-101.

    Raises:
        SnapError: the space is unknown or too large to be listed, or has no such hashes.
    """
    home = space(name)
    if hashes and home.name != "nb101":
        raise SnapError(f"{home.name}: only nb101 has module hashes; leave --hashes out")
    parts = []
    for cells in _batches(home.enumerate()):
        module_hashes = [module_hash(cell) for cell in cells] if hashes else None
        parts.append(graph_table(home, cells, module_hashes=module_hashes))
        advance(len(cells))
    return pa.concat_tables(parts)


def sample_space(name: str | Space, n: int, seed: int) -> pa.Table:
    """Build a table of n different architectures, drawn without replacement.

    Raises:
        SnapError: the space is unknown or has fewer cells.
    """
    home, rng = space(name), np.random.default_rng(seed)
    if n > home.count():
        raise SnapError(
            f"{home.name} has {home.count():,} cells, so {n:,} different ones cannot be drawn"
        )
    drawn: dict[str, Cell] = {}
    while len(drawn) < n:
        for cell in home.sample(n - len(drawn), rng):
            drawn.setdefault(home.format(cell), cell)
    return graph_table(home, list(drawn.values()), arch_ids=list(drawn))


def one_per_class(table: pa.Table) -> pa.Table:
    """Keep the first architecture of every `cell_hash`."""
    first = np.unique(table["cell_hash"].to_numpy(zero_copy_only=False), return_index=True)[1]
    return table.take(np.sort(first))


def _batches(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    rest = iter(cells)
    while batch := list(islice(rest, CHUNK)):
        yield batch
