"""Build tables of a complete search space, or of a sample."""

from collections.abc import Callable
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
        advance: called with the number of new cells.
        hashes: add `module_hash`, for NAS-Bench-101.

    Raises:
        SnapError: the space is unknown, too large to list, or has no such hashes.
    """
    found = space(name)
    if hashes and found.name != "nb101":
        raise SnapError(f"{found.name}: only nb101 has module hashes; remove --hashes")
    parts, rest = [], found.enumerate()
    while cells := list(islice(rest, CHUNK)):
        module_hashes = [module_hash(cell) for cell in cells] if hashes else None
        parts.append(graph_table(found, cells, module_hashes=module_hashes))
        advance(len(cells))
    return pa.concat_tables(parts)


def sample_space(name: str | Space, n: int, seed: int) -> pa.Table:
    """Build a table of n distinct architectures, sampled without replacement.

    Raises:
        SnapError: the space is unknown or has fewer cells.
    """
    found, rng = space(name), np.random.default_rng(seed)
    if n > found.count():
        raise SnapError(
            f"{found.name} has {found.count():,} cells; sample at most as many, not {n:,}"
        )
    drawn: dict[str, Cell] = {}
    while len(drawn) < n:
        for cell in found.sample(n - len(drawn), rng):
            drawn.setdefault(found.format(cell), cell)
    return graph_table(found, list(drawn.values()), arch_ids=list(drawn))


def one_per_class(table: pa.Table) -> pa.Table:
    """Keep the first architecture of every `cell_hash`."""
    first = np.unique(table["cell_hash"].to_numpy(zero_copy_only=False), return_index=True)[1]
    return table.take(np.sort(first))
