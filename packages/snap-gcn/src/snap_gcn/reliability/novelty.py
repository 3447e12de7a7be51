"""How far cells are from what a model was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_graphs import Graphs, views
from snap_graphs.arrays import Ints

from snap_gcn.data.views import viewed
from snap_gcn.model.recipe import Recipe
from snap_gcn.reliability.shape import extent, shape_distance

Floats = npt.NDArray[np.float64]
_SAMPLE = 50_000
"""Training cells from which the ranges are taken."""


def ranges(table: pa.Table, recipes: Sequence[Recipe], seed: int = 0) -> dict[str, list[int]]:
    """Return the extent (`snap_gcn.reliability.shape.extent`) of what training shows a model.

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
        for name, (least, most) in extent(Graphs.from_table(shown)).items():
            low, high = found.get(name, [least, most])
            found[name] = [min(low, least), max(high, most)]
    return found


@dataclass(frozen=True)
class Familiar:
    """What a model was trained on.

    Attributes:
        distances: (operators,) one minus the cosine between each known operator's vector and the
            nearest one trained on.
        ranges: the least and the most of each number of `snap_gcn.reliability.shape.shapes`.
    """

    distances: Floats
    ranges: Mapping[str, Sequence[int]]

    def novelty(self, graphs: Graphs, op: Ints) -> Floats:
        """Compute (graphs,) distances, 0 where operators and shape are those of training.

        A distance is that of the graph's operators plus the `shape_distance` of its shape.

        Args:
            graphs: the graphs as the model sees them.
            op: (nodes,) rows of the operators' vectors.
        """
        return self.operator_distance(graphs, op) + shape_distance(graphs, self.ranges)

    def operator_distance(self, graphs: Graphs, op: Ints) -> Floats:
        """Compute (graphs,) means over a graph's nodes of the operators' distances.

        Args:
            graphs: the graphs as the model sees them.
            op: (nodes,) rows of the operators' vectors.
        """
        if not len(graphs):
            return np.empty(0)
        distances: Floats = np.add.reduceat(self.distances[op], graphs.node_start[:-1])
        return distances / graphs.sizes
