"""Search algorithms as proposers: regularised evolution, local search and random search."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from snap_graphs import Cell

from snap_evo.algorithms import start
from snap_evo.measuring.interfaces import Observations
from snap_evo.measuring.proposers.pool import Feasible, Functions, listed

_BARREN = 5000
"""After this many known candidates in a row no new one is expected."""


class AlgorithmProposer:
    """Replays a search algorithm with the values measured, up to the first value that is missing.

    If the algorithm has to learn before a value is measured, it receives the worst value instead.
    Cells beyond the limits are never proposed. Cells that compute the same share their value.
    """

    def __init__(self, feasible: Feasible, algorithm: str, seed: int) -> None:
        """Start."""
        self._feasible, self._algorithm, self._seed = feasible, algorithm, seed
        self._functions = Functions()
        self._met: dict[Cell, _Candidate] = {}

    def propose(self, known: Observations, count: int) -> pa.Table:
        """Return the next architectures that the algorithm proposes."""
        values = self._functions.values(known)
        taken = {*values, *self._functions(known.pending)}
        worst = min(filter(np.isfinite, values.values()), default=0.0)
        solver, chosen, barren = start(self._algorithm, self._feasible.space, self._seed), [], 0
        while barren < _BARREN and (cells := solver.ask()):
            candidates = self._looked_up(cells)
            for candidate in candidates:
                barren += 1
                if not candidate.excess and candidate.function not in taken:
                    chosen.append(candidate.graph)
                    taken.add(candidate.function)
                    barren = 0
                if len(chosen) == count:
                    return pa.concat_tables(chosen)
            better = [-np.inf if c.excess else values.get(c.function, worst) for c in candidates]
            solver.tell(np.array(better)[:, None], np.array([c.excess for c in candidates]))
        return pa.concat_tables([*chosen, self._left(taken, count - len(chosen))])

    def _looked_up(self, cells: Sequence[Cell]) -> list["_Candidate"]:
        new = [cell for cell in dict.fromkeys(cells) if cell not in self._met]
        if new:
            graphs = self._feasible.graphs(new)
            beyond = self._feasible.excess(graphs).tolist()
            for row, found in enumerate(zip(self._functions(graphs), beyond, strict=True)):
                self._met[new[row]] = _Candidate(*found, graphs.slice(row, 1))
        return [self._met[cell] for cell in cells]

    def _left(self, taken: set[str], count: int) -> pa.Table:
        """Return architectures that the algorithm does not reach."""
        if not self._feasible.is_listed:
            return self._feasible.graphs([])
        pool = listed(self._feasible)
        free = np.random.default_rng(self._seed).permutation(np.flatnonzero(pool.free(taken)))
        return pool.graphs.take(free[:count])


class _Candidate(NamedTuple):
    function: str
    excess: float
    graph: pa.Table
