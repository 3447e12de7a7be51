"""Follow the edges of many graphs at once, in memory that grows with nodes and edges alone."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from snap_graphs.arrays import Graphs, Ints


class Wave(NamedTuple):
    """All edges that end at the nodes of one position in their graphs.

    Attributes:
        nodes: (k,) those nodes, among the nodes of all graphs, each once.
        sources: (m,) where the edges come from; those into one node are neighbours.
        starts: (k,) where the edges into each of the nodes begin in `sources`.
    """

    nodes: Ints
    sources: Ints
    starts: Ints


def waves(graphs: Graphs, *, backward: bool = False) -> Iterator[Wave]:
    """Yield the edges of graphs in an order in which no edge comes from a node of a later wave.

    Nodes are in topological order: the first wave ends at the second nodes of all graphs, the next
    one at the third nodes, and so on. There is no wave without edges.

    Args:
        graphs: at most 2^16 nodes each.
        backward: follow edges against their direction, from the last nodes to the first.
    """
    _, *edges = graphs.edges()
    ends, sources = reversed(edges) if not backward else edges
    position = graphs.src.max(initial=0) - graphs.src if backward else graphs.dst
    # Sorting 16-bit integers is linear. Edges are stored by graph: those of one graph that end at
    # one position, which is one node, become neighbours.
    order = np.argsort(position.astype(np.uint16), kind="stable")
    position, ends, sources = position[order], ends[order], sources[order]
    starts = np.flatnonzero(np.diff(ends, prepend=-1))
    cuts = np.flatnonzero(np.diff(position[starts], prepend=-1))
    starts = np.append(starts, len(ends))
    for low, high in itertools.pairwise([*cuts.tolist(), len(starts) - 1]):
        first, last = starts[low], starts[high]
        yield Wave(ends[starts[low:high]], sources[first:last], starts[low:high] - first)
