"""Compute dead operators, paths, depth and isomorphism class of graphs."""

from typing import NamedTuple

import numpy as np

from snap_graphs.arrays import Bools, Graphs, Ints
from snap_graphs.cell import INPUT, NONE, OUTPUT
from snap_graphs.hashing import graph_hashes
from snap_graphs.traversal import waves

MOST_PATHS = 2**31 - 1
"""Cap on the number of paths."""
_AT_ONCE = 2**18
"""Nodes per batch, so that arrays fit the processor cache."""


class Structure(NamedTuple):
    """Columns of `graphs.parquet` computed from the graphs, one entry per graph."""

    cell_hash: list[str]
    n_dead: Ints
    depth: Ints
    n_paths: Ints


def structure(graphs: Graphs) -> Structure:
    """Compute the structural columns of `graphs.parquet`."""
    hashes, numbers = list[str](), [np.empty((3, 0), np.int64)]
    for part in graphs.parts(_AT_ONCE):
        rest = pruned(part)
        hashes += graph_hashes(rest)
        numbers.append(np.stack([part.sizes - rest.sizes, *_longest_and_number(rest)]))
    return Structure(hashes, *np.hstack(numbers))


def pruned(graphs: Graphs) -> Graphs:
    """Remove `none` and operators on no path from an input to the output.

    Inputs and outputs stay even if unconnected.
    """
    live = alive(graphs)
    _, sources, targets = graphs.edges()
    return graphs.keep(live | _is_end(graphs), live[sources] & live[targets])


def alive(graphs: Graphs) -> Bools:
    """Find the nodes on a path from an input to the output without `none`.

    Returns:
        (nodes,) true for the live nodes.
    """
    live: Bools = graphs.op != graphs.index(NONE)
    for end, backward in ((INPUT, False), (OUTPUT, True)):
        reached = graphs.op == graphs.index(end)
        for nodes, sources, starts in waves(graphs, backward=backward):
            reached[nodes] |= np.logical_or.reduceat(reached[sources], starts) & live[nodes]
        live &= reached
    return live


def _is_end(graphs: Graphs) -> Bools:
    ends: Bools = np.isin(graphs.op, [graphs.index(INPUT), graphs.index(OUTPUT)])
    return ends


def _longest_and_number(graphs: Graphs) -> tuple[Ints, Ints]:
    """Return (graphs,) operators on the longest path to the output, and numbers of paths."""
    length = (~_is_end(graphs)).astype(np.int64)
    paths = (graphs.op == graphs.index(INPUT)).astype(np.int64)
    for nodes, sources, starts in waves(graphs):
        length[nodes] += np.maximum.reduceat(length[sources], starts)
        met = paths[nodes] + np.add.reduceat(paths[sources], starts)
        paths[nodes] = np.minimum(met, MOST_PATHS)
    last = graphs.node_start[1:] - 1
    return length[last], paths[last]
