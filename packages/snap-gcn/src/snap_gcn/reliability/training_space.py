"""Compare graphs with the data and the search space that a predictor was trained on.

Members that rank other spaces well do not fit the training space closely, and vice versa. A preset
may therefore have members that score only cells of the training space.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from snap_graphs import Graphs, views
from snap_graphs.arrays import Bools, Ints

from snap_gcn.data.arrays import Floats, evenly_spaced, per_graph
from snap_gcn.data.views import viewed
from snap_gcn.data.vocabulary import Key, Vocabulary
from snap_gcn.model.recipe import Recipe
from snap_gcn.model.schema import Domain
from snap_gcn.reliability.shape import extent, shape_distance

_SAMPLE = 50_000
"""Training cells from which the ranges are taken."""


def ranges(table: pa.Table, recipes: Sequence[Recipe], seed: int = 0) -> dict[str, list[int]]:
    """Compute `snap_gcn.reliability.shape.extent` of the training cells as the members see them.

    Up to 50,000 cells, evenly spaced, are used; `seed` draws the recipes' identity operators.
    """
    sample = table.take(evenly_spaced(table.num_rows, _SAMPLE))
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
    """The operators and shapes in a model's training data."""

    # (operators,) one minus the cosine between each known operator's vector and the nearest one
    # trained on
    distances: Floats
    # minimum and maximum of each number of `snap_gcn.reliability.shape.shapes`
    ranges: Mapping[str, Sequence[int]]

    def novelty(self, graphs: Graphs, op: Ints) -> Floats:
        """Compute (graphs,) distances from training: `operator_distance` plus `shape_distance`."""
        return self.operator_distance(graphs, op) + shape_distance(graphs, self.ranges)

    def operator_distance(self, graphs: Graphs, op: Ints) -> Floats:
        """Compute (graphs,) means of the distances of operators, given (nodes,) their rows."""
        return per_graph(graphs, self.distances[op]) / graphs.sizes


@dataclass(frozen=True)
class TrainingSpace:
    """The operators and shapes of the training space."""

    known: Bools  # (operators,) which of the vocabulary's operators occurred in training
    shapes: Mapping[str, Sequence[int]]  # the extent of the graphs

    @classmethod
    def read(
        cls, record: Domain, vocabulary: Vocabulary, kept: Bools, source: str
    ) -> "TrainingSpace":
        """Look up the operators of a model's record in the vocabulary in use.

        Operators count as known if their vectors are those of training ((operators,) `kept`).

        Raises:
            SnapError: an operator has no vector; `source` names the model.
        """
        rows = vocabulary.rows_of(record.operators, source)
        known = np.zeros(len(vocabulary.vectors), np.bool_)
        known[rows] = kept[rows]
        return cls(known, record.shapes)

    def holds(self, graphs: Graphs, op: Ints) -> Bools:
        """Return (graphs,) whether each graph, before any view, could have occurred in training."""
        familiar = per_graph(graphs, self.known[op], np.logical_and)
        within: Bools = familiar & (shape_distance(graphs, self.shapes) == 0)
        return within


def record(
    train: pa.Table, recipes: Sequence[Recipe], trained: Sequence[Sequence[Key]]
) -> Domain | None:
    """Record the training space for the members that score it alone; None if there are none.

    `trained` are, by member, the operators that occurred in its training cells.
    """
    members = [i for i, recipe in enumerate(recipes) if recipe.training_space]
    if not members:
        return None
    return Domain(
        operators=sorted({key for i in members for key in trained[i]}, key=str),
        shapes=extent(Graphs.from_table(train)),
    )
