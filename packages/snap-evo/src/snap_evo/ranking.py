"""Rank a whole search space, by a scorer's scores or by measured accuracies."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_graphs import Space, graph_table, space

from snap_evo.combination import network_scorers
from snap_evo.scorers import Scorer, Scores, score_graphs


@dataclass(frozen=True)
class Ranking:
    """Values of all architectures of a space, higher is better.

    Attributes:
        graphs: n rows of the `graphs` contract.
        values: (n,) one per architecture.
    """

    graphs: pa.Table
    values: Scores

    def __len__(self) -> int:
        return len(self.values)

    @property
    def distinct(self) -> int:
        """Number of cells that differ without dead operators."""
        return len(self.graphs["cell_hash"].unique())

    def arch_id(self, row: int) -> str:
        """Return the architecture of a row."""
        return str(self.graphs["arch_id"][row])

    def row(self, arch_id: str) -> int:
        """Return the row of an architecture, or -1."""
        return int(pc.index(self.graphs["arch_id"], arch_id).as_py())

    def rank(self, row: int) -> int:
        """Return 1 + the number of architectures with a higher value."""
        return 1 + int(np.sum(self.values > self.values[row]))

    def ties(self, row: int) -> int:
        """Return the number of other architectures with the same value."""
        return int(np.sum(self.values == self.values[row])) - 1


def rank_space(space_name: str | Space, scorer: Scorer) -> Ranking | None:
    """Score every architecture of a space.

    Returns:
        None if the space cannot be listed, or a network would be run for each architecture.

    Raises:
        SnapError: the space is unknown, or the scorer failed.
    """
    search_space = space(space_name)
    if not search_space.enumerable or any(True for _ in network_scorers(scorer)):
        return None
    graphs = graph_table(search_space, list(search_space.enumerate()))
    return Ranking(graphs, score_graphs(scorer, graphs))
