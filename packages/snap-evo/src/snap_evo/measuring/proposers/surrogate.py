"""The proposer that learns: best-scored architectures first, then those a surrogate prefers."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.metrics import oriented
from snap_graphs import Cell

from snap_evo.measuring.interfaces import Observations, Surrogate
from snap_evo.measuring.proposers.pool import Feasible, Functions, Pool, listed
from snap_evo.measuring.surrogates import fit_graphs, predict_graphs
from snap_evo.objectives import Floats
from snap_evo.scorers import Scorer, score_graphs
from snap_evo.search_loop import search

_INITIAL = 4
"""Number of architectures chosen by score before the surrogate is used."""
_TOP = 50
"""All but the first of these are drawn from this number of best-scored architectures."""
_DEVIATIONS = 0.5
"""Standard deviations added to the mean in the upper confidence bound."""
_BUDGET = 1000
"""Budget of the search by score in a space that is too large to be listed."""
_ROUNDS, _PARENTS, _CHILDREN = 5, 20, 5
"""Of the search by upper confidence bound in such a space."""


class SurrogateProposer:
    """Chooses by an upper confidence bound (Srinivas et al., 2010).

    The first architecture has the best score; the seed draws the next three from the 50 best. Each
    later architecture has the highest mean plus half a standard deviation by the surrogate, given
    all measurements. A proposal that is not measured yet counts as measured with the value that the
    surrogate predicts ("kriging believer", Ginsbourger et al., 2010), and a failure as the worst
    value measured.

    Spaces of up to 20,000 cells are listed. In larger ones the candidates are the results of a
    search by score, and mutations of the best measured cells and of those with the highest bounds.
    """

    def __init__(
        self, feasible: Feasible, scorer: Scorer | None, surrogate: Surrogate, seed: int
    ) -> None:
        """Start.

        Args:
            feasible: the architectures that may be proposed.
            scorer: rates architectures before anything is measured; None to draw the first ones
                from all.
            surrogate: learns from measurements.
            seed: of all randomness.

        Raises:
            SnapError: the scorer failed, or nothing is within the limits.
        """
        self._feasible, self._surrogate, self._seed = feasible, surrogate, seed
        self._functions = Functions()
        if feasible.is_listed:
            self._pool = listed(feasible)
        else:
            self._pool = Pool(feasible).with_cells(_found(feasible, scorer, seed))
        if not self._pool.functions:
            limits = "; ".join(map(str, feasible.limits))
            raise SnapError(f"no cell of {feasible.space.name} keeps to {limits}; widen the limits")
        self._scores = None if scorer is None else score_graphs(scorer, self._pool.graphs)

    def propose(self, known: Observations, count: int) -> pa.Table:
        """Return architectures by score, and later by upper confidence bound."""
        taken = {*self._functions(known.graphs), *self._functions(known.pending)}
        better = _better(known)
        by_score = count if better is None else min(count, max(0, _INITIAL - len(taken)))
        chosen = [*islice(self._by_score(taken), by_score)]
        if better is not None:
            waiting = pa.concat_tables([known.pending.select(self._columns), *chosen])
            measured = known._replace(pending=waiting)
            chosen += islice(self._by_bound(measured, better, taken), count - len(chosen))
        return pa.concat_tables([self._pool.graphs.slice(0, 0), *chosen])

    def _by_score(self, taken: set[str]) -> Iterator[pa.Table]:
        """Yield architectures by score, and add their functions to `taken`."""
        pool = self._pool
        order, highest = np.arange(len(pool.functions)), len(pool.functions)
        if self._scores is not None:
            order, highest = np.argsort(-self._scores, kind="stable"), _TOP
        while (free := order[pool.free(taken)[order]]).size:
            top = np.intersect1d(free, order[:highest])
            if not top.size or (self._scores is not None and not taken):
                row = int(free[0])
            else:
                row = int(np.random.default_rng([self._seed, len(taken)]).choice(top))
            taken.add(pool.functions[row])
            yield pool.graphs.slice(row, 1)

    def _by_bound(self, known: Observations, better: Floats, taken: set[str]) -> Iterator[pa.Table]:
        """Yield architectures by upper confidence bound, and add their functions to `taken`."""
        graphs, waiting = known.graphs.select(self._columns), known.pending
        pool: Pool | None = None
        self._learn(graphs, better, known.direction)
        while True:
            if waiting.num_rows:
                better = np.append(better, self._expected(graphs, better, waiting))
                graphs = pa.concat_tables([graphs, waiting])
                self._learn(graphs, better, known.direction)
            pool = pool or self._wider(graphs, better)
            free = np.flatnonzero(pool.free(taken))
            if not free.size:
                return
            row = int(free[np.argmax(self._bounds(pool.graphs)[free])])
            taken.add(pool.functions[row])
            waiting = pool.graphs.slice(row, 1)
            yield waiting

    @property
    def _columns(self) -> list[str]:
        names: list[str] = self._pool.graphs.column_names
        return names

    def _learn(self, graphs: pa.Table, better: Floats, direction: Direction) -> None:
        fit_graphs(self._surrogate, graphs, oriented(better, direction), direction)

    def _expected(self, graphs: pa.Table, better: Floats, waiting: pa.Table) -> Floats:
        """Return the values of the metric that the surrogate predicts."""
        known = predict_graphs(self._surrogate, graphs)[0]
        mean = predict_graphs(self._surrogate, waiting)[0]
        found: Floats = np.interp(mean, np.sort(known), np.sort(better))
        return found

    def _bounds(self, graphs: pa.Table) -> Floats:
        mean, std = predict_graphs(self._surrogate, graphs)
        return mean + _DEVIATIONS * std

    def _wider(self, graphs: pa.Table, better: Floats) -> Pool:
        """Return the pool, with mutations if the space is not listed."""
        if self._feasible.is_listed:
            return self._pool
        rng = np.random.default_rng([self._seed, graphs.num_rows])
        best = graphs.take(np.argsort(-better, kind="stable")[:_PARENTS])
        space = self._feasible.space
        parents = [space.read(text) for text in best["arch_id"].to_pylist()]
        pool = self._pool
        for _ in range(_ROUNDS):
            highest = np.argsort(-self._bounds(pool.graphs), kind="stable")[:_PARENTS]
            parents += pool.cells(highest.tolist())
            children = [space.mutate(parent, rng) for parent in parents for _ in range(_CHILDREN)]
            pool, parents = pool.with_cells(children), []
        return pool


def _better(known: Observations) -> Floats | None:
    """Return (n,) values, higher is better, failures as the worst; None if all are equal."""
    better = oriented(known.values, known.direction)
    worked = better[np.isfinite(better)]
    if len(np.unique(worked)) < 2:
        return None
    found: Floats = np.where(np.isfinite(better), better, worked.min())
    return found


def _found(feasible: Feasible, scorer: Scorer | None, seed: int) -> list[Cell]:
    """Return candidates in a space that is too large to be listed."""
    space, limits, network = feasible.space, feasible.limits, feasible.network
    if scorer is None:
        return space.sample(_BUDGET, seed)
    result = search(
        space, scorer, algorithm="re", budget=_BUDGET, seed=seed, limits=limits, network=network
    )
    return [space.read(text) for text in result.history["arch_id"].unique().to_pylist()]
