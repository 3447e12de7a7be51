"""What follows from a graph alone: dead operators, paths, depth and isomorphism class."""

from typing import NamedTuple

import numpy as np

from snap_graphs.arrays import Bools, Graphs, Ints
from snap_graphs.cell import INPUT, NONE, OUTPUT
from snap_graphs.hashing import graph_hashes
from snap_graphs.traversal import waves

MOST_PATHS = 2**31 - 1
"""Stands for as many paths or more."""
_AT_ONCE = 2**18
"""Nodes whose arrays a processor's cache holds, and enough to follow many edges at once."""


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
    """Return graphs without `none` and without operators on no path from an input to the output.

    Inputs and outputs stay, connected or not.
    """
    live = alive(graphs)
    _, sources, targets = graphs.edges()
    return graphs.keep(live | _is_end(graphs), live[sources] & live[targets])


def alive(graphs: Graphs) -> Bools:
    """Find the nodes on a path from an input to the output that no `none` interrupts.

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
    """Return (graphs,) operators on the longest path to the output, and numbers of such paths."""
    length = (~_is_end(graphs)).astype(np.int64)
    paths = (graphs.op == graphs.index(INPUT)).astype(np.int64)
    for nodes, sources, starts in waves(graphs):
        length[nodes] += np.maximum.reduceat(length[sources], starts)
        met = paths[nodes] + np.add.reduceat(paths[sources], starts)
        paths[nodes] = np.minimum(met, MOST_PATHS)
    last = graphs.node_start[1:] - 1
    return length[last], paths[last]
