"""Recognise cells of the search space that a predictor was trained on.

Members that rank other spaces well do not fit the training space closely, and vice versa. A preset
may therefore have members that score only cells of the training space.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from snap_graphs import Graphs
from snap_graphs.arrays import Bools, Ints

from snap_gcn.data.arrays import per_graph
from snap_gcn.data.vocabulary import Key, Vocabulary
from snap_gcn.model.recipe import Recipe
from snap_gcn.model.schema import Domain
from snap_gcn.reliability.shape import extent, shape_distance


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
