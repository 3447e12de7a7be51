"""Which cells are of the space that a predictor was trained on.

What ranks other spaces well does not fit the training space closely, and the reverse. So a preset
may have members that score the cells of the training space and no others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from snap_graphs import Graphs
from snap_graphs.arrays import Bools, Ints

from snap_gcn.data.vocabulary import Key, Vocabulary
from snap_gcn.model.recipe import Recipe
from snap_gcn.model.schema import Domain
from snap_gcn.reliability.shape import extent, shape_distance


@dataclass(frozen=True)
class TrainingSpace:
    """What was seen in training by the members that score the training space.

    Attributes:
        known: (operators,) which of the known operators.
        shapes: the extent of the graphs.
    """

    known: Bools
    shapes: Mapping[str, Sequence[int]]

    @classmethod
    def read(
        cls, record: Domain, vocabulary: Vocabulary, kept: Bools, source: str
    ) -> "TrainingSpace":
        """Read what `record` made.

        Args:
            record: the model's.
            vocabulary: the operators in use.
            kept: (operators,) which of them have the vectors of training.
            source: the model, for an error.

        Raises:
            SnapError: an operator has no vector.
        """
        rows = vocabulary.rows_of(record.operators, source)
        known = np.zeros(len(vocabulary.vectors), np.bool_)
        known[rows] = kept[rows]
        return cls(known, record.shapes)

    def holds(self, graphs: Graphs, op: Ints) -> Bools:
        """Return (graphs,) whether training could have shown each of them.

        Args:
            graphs: as they are, through no view.
            op: (nodes,) rows of the operators' vectors.
        """
        if not len(graphs):
            return np.empty(0, np.bool_)
        familiar = np.logical_and.reduceat(self.known[op], graphs.node_start[:-1])
        within: Bools = familiar & (shape_distance(graphs, self.shapes) == 0)
        return within


def record(
    train: pa.Table, recipes: Sequence[Recipe], trained: Sequence[Sequence[Key]]
) -> Domain | None:
    """Record what members see of the training space; None where none of them is for it alone.

    Args:
        train: the training cells.
        recipes: of the members.
        trained: the operators that each of them met.
    """
    members = [i for i, recipe in enumerate(recipes) if recipe.training_space]
    if not members:
        return None
    return Domain(
        operators=sorted({key for i in members for key in trained[i]}, key=str),
        shapes=extent(Graphs.from_table(train)),
    )
