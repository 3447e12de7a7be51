"""How large and how dense graphs are, and how far that is outside what is known."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from snap_graphs import Graphs
from snap_graphs.arrays import Ints

NUMBERS = ("nodes", "edges", "inputs")
"""What describes a graph: its nodes, its edges, and the edges into the node that has most."""


def shapes(graphs: Graphs) -> dict[str, Ints]:
    """Describe graphs by a few numbers.

    Returns:
        By name, (graphs,) numbers of nodes, of edges, and of edges into the node that has most.
    """
    edges = np.diff(graphs.edge_start)
    into = np.bincount(
        graphs.dst + np.repeat(graphs.node_start[:-1], edges), minlength=len(graphs.op)
    )
    most = np.maximum.reduceat(into, graphs.node_start[:-1]) if len(graphs) else edges
    return {"nodes": graphs.sizes, "edges": edges, "inputs": most}


def extent(graphs: Graphs) -> dict[str, list[int]]:
    """Return the least and the most of each number of `shapes`, over one graph or more."""
    return {name: [int(v.min()), int(v.max())] for name, v in shapes(graphs).items()}


def shape_distance(graphs: Graphs, known: Mapping[str, Sequence[int]]) -> npt.NDArray[np.float64]:
    """Compute how far the shapes of graphs are outside what is known.

    Args:
        graphs: n graphs.
        known: the least and the most of each number of `shapes`.

    Returns:
        (n,) mean over the numbers of the logarithm of the ratio to the nearest end of the range;
        0 within all ranges.
    """
    shape = shapes(graphs)
    return _mean_log(
        [
            np.maximum((shape[name] + 1) / (high + 1), (low + 1) / (shape[name] + 1))
            for name, (low, high) in known.items()
        ],
        len(graphs),
    )


def oversize(graphs: Graphs, known: Mapping[str, Sequence[int]]) -> npt.NDArray[np.float64]:
    """Compute how much larger or denser graphs are than what is known.

    Args:
        graphs: n graphs.
        known: the least and the most of each number of `shapes`.

    Returns:
        (n,) as `shape_distance`, where smaller graphs count as known.
    """
    shape = shapes(graphs)
    return _mean_log(
        [(shape[name] + 1) / (high + 1) for name, (_, high) in known.items()], len(graphs)
    )


def _mean_log(ratios: Sequence[npt.NDArray[np.float64]], count: int) -> npt.NDArray[np.float64]:
    """Return (count,) the mean logarithm of ratios, those below 1 counted as 1."""
    total = np.zeros(count)
    for ratio in ratios:
        total += np.log(np.maximum(ratio, 1))
    return total / max(len(ratios), 1)
