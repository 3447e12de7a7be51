"""What chooses the architectures to measure."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from snap_graphs import Cell, Space

from snap_evo.costs import cell_graphs
from snap_evo.measuring.interfaces import Measured, Proposer
from snap_evo.objectives import Limit
from snap_evo.scorers import Scorer, score_graphs

_DRAWN = 1000


def start_proposer(
    home: Space,
    *,
    scorer: Scorer,
    surrogate: str,
    limits: Sequence[Limit],
    network: str | None,
    seed: int,
    algorithm: str,
) -> Proposer:
    """Return a proposer of what a scorer rates highest among cells drawn at random."""
    return _Highest(home, scorer, limits, network, seed)


class _Highest:
    def __init__(
        self, home: Space, scorer: Scorer, limits: Sequence[Limit], network: str | None, seed: int
    ) -> None:
        drawn: list[Cell] = list(dict.fromkeys(home.sample(_DRAWN, seed)))
        graphs = cell_graphs(home, network, drawn)
        within = np.ones(len(drawn), np.bool_)
        for limit in limits:
            within &= limit.excess(limit.values(graphs)) == 0
        graphs = graphs.filter(pa.array(within))
        self._graphs = graphs.take(np.argsort(-score_graphs(scorer, graphs), kind="stable"))

    def propose(self, known: Measured, count: int) -> pa.Table:
        """Return the best rows that are neither measured nor pending."""
        seen = {*known.graphs["cell_hash"].to_pylist(), *known.pending["cell_hash"].to_pylist()}
        rows: list[int] = []
        for row, cell_hash in enumerate(self._graphs["cell_hash"].to_pylist()):
            if cell_hash not in seen and len(rows) < count:
                seen.add(cell_hash)
                rows.append(row)
        return self._graphs.take(rows)
