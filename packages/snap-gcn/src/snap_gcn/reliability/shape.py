"""The size and density of graphs, and their distance to a range of shapes."""

from collections.abc import Mapping, Sequence

import numpy as np
from snap_graphs import Graphs
from snap_graphs.arrays import Ints

from snap_gcn.data.arrays import Floats, per_graph

NUMBERS = ("nodes", "edges", "inputs")
"""The numbers that describe a graph's shape."""


def shapes(graphs: Graphs) -> dict[str, Ints]:
    """Count (graphs,) nodes, edges, and edges into the node with the most, by name."""
    into = np.bincount(graphs.edges()[2], minlength=len(graphs.op))
    most = per_graph(graphs, into, np.maximum)
    return {"nodes": graphs.sizes, "edges": np.diff(graphs.edge_start), "inputs": most}


def extent(graphs: Graphs) -> dict[str, list[int]]:
    """Return the minimum and maximum of each number of `shapes`, over one graph or more."""
    return {name: [int(v.min()), int(v.max())] for name, v in shapes(graphs).items()}


def shape_distance(
    graphs: Graphs, known: Mapping[str, Sequence[int]], *, smaller: bool = True
) -> Floats:
    """Compute (n,) distances of n graphs from the `extent` of other graphs.

    The distance is the mean, over the numbers of `shapes`, of the absolute difference of log(1 + x)
    between the graph and the nearest end of the range; 0 within all ranges. Unless `smaller`, only
    numbers above the range count.
    """
    shape, total = shapes(graphs), np.zeros(len(graphs))
    for name, (low, high) in known.items():
        ratio = (shape[name] + 1) / (high + 1)
        if smaller:
            ratio = np.maximum(ratio, (low + 1) / (shape[name] + 1))
        total += np.log(np.maximum(ratio, 1))
    return total / max(len(known), 1)


def oversize(graphs: Graphs, known: Mapping[str, Sequence[int]]) -> Floats:
    """Compute (n,) `shape_distance` of n graphs, with smaller graphs counted as in the range."""
    return shape_distance(graphs, known, smaller=False)
