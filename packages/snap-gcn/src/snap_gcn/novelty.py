"""How far cells are from what a model was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_graphs import Graphs, views
from snap_graphs.arrays import Ints

from snap_gcn.recipe import Recipe
from snap_gcn.seen import viewed

Floats = npt.NDArray[np.float64]
_SAMPLE = 50_000
"""Training cells from which the ranges are taken."""


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


def ranges(table: pa.Table, recipes: Sequence[Recipe], seed: int = 0) -> dict[str, list[int]]:
    """Return the least and the most of each number of `shapes` that training shows a model.

    Args:
        table: training cells, of which up to 50,000, evenly spaced, are looked at.
        recipes: how the members see them.
        seed: of the identities that are inserted.
    """
    step = max(1, -(-table.num_rows // _SAMPLE))
    sample = table.take(np.arange(0, table.num_rows, step))
    found: dict[str, list[int]] = {}
    for recipe in dict.fromkeys(recipes):
        shown = viewed(sample, recipe.views)
        if recipe.identities:
            rng = np.random.default_rng(seed)
            shown = views.insert_identities(shown, rng, recipe.identities)
        for name, values in shapes(Graphs.from_table(shown)).items():
            low, high = found.get(name, [values.max(), values.min()])
            found[name] = [int(min(low, values.min())), int(max(high, values.max()))]
    return found


@dataclass(frozen=True)
class Familiar:
    """What a model was trained on.

    Attributes:
        distances: (operators,) one minus the cosine between each known operator's vector and the
            nearest one trained on.
        ranges: the least and the most of each number of `shapes`.
    """

    distances: Floats
    ranges: Mapping[str, Sequence[int]]

    def novelty(self, graphs: Graphs, op: Ints) -> Floats:
        """Return (graphs,) distances, 0 where operators and shape are those of training.

        It is the mean over a graph's nodes of the operators' distances, plus the mean over the
        numbers of `shapes` of the logarithm of the ratio to the nearest end of the range.

        Args:
            graphs: the graphs as the model sees them.
            op: (nodes,) rows of the operators' vectors.
        """
        if not len(graphs):
            return np.empty(0)
        operators = np.add.reduceat(self.distances[op], graphs.node_start[:-1]) / graphs.sizes
        outside: Floats = operators + self.strangeness(graphs)
        return outside

    def strangeness(self, graphs: Graphs) -> Floats:
        """Return (graphs,) the second part of the novelty, which is the shape's."""
        total, shape = np.zeros(len(graphs)), shapes(graphs)
        for name, (low, high) in self.ranges.items():
            above, below = (shape[name] + 1) / (high + 1), (low + 1) / (shape[name] + 1)
            total += np.log(np.maximum(np.maximum(above, below), 1))
        return total / max(len(self.ranges), 1)
