"""Search a space for the cells with the best scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.errors import excerpt
from snap_graphs import Cell, Space, space

from snap_evo.algorithms import Algorithm, start
from snap_evo.candidates import Candidates, OutOfTimeError
from snap_evo.costs import cell_graphs, check_network
from snap_evo.defaults import ALGORITHM, BUDGET, MOST_SEED, SEED
from snap_evo.objectives import ONE_OBJECTIVE, Limit, Objective, front
from snap_evo.scorers import Scorer


@dataclass(frozen=True)
class SearchResult:
    """The result of a search.

    Attributes:
        space: name of the search space.
        algorithm: name of the algorithm.
        seed: its seed.
        objectives: what was optimised.
        limits: the limits on costs.
        history: one row per candidate, as in the `search` contract.
        best: the best candidate within the limits, the first of equals, as a row of the `graphs`
            contract.
        stopped: why the search ended, in a few words.
        out_of_time: whether the time limit ended it; the scorer may still be running.
        seconds: time of the search.
        scoring_seconds: part of that time that the scorer took.
    """

    space: str
    algorithm: str
    seed: int
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...]
    history: pa.Table
    best: pa.Table
    stopped: str
    out_of_time: bool
    seconds: float
    scoring_seconds: float

    @property
    def evaluations(self) -> int:
        """Number of candidates, repetitions included."""
        return int(self.history.num_rows)

    @cached_property
    def scored(self) -> pa.Table:
        """The candidates within the limits."""
        return self.history.filter(self.history["score"].is_valid())

    @property
    def distinct(self) -> int:
        """Number of cells scored: candidates that differ once dead operators are removed."""
        return len(self.scored["cell_hash"].unique())

    @property
    def beyond_limits(self) -> int:
        """Number of candidates beyond a limit."""
        return self.evaluations - int(self.scored.num_rows)

    @property
    def score(self) -> float:
        """Score of the best candidate."""
        return float(np.max(self.scored["score"].to_numpy()))

    @property
    def cell(self) -> Cell:
        """The best candidate."""
        row = self.best.to_pylist()[0]
        return Cell(tuple(row["nodes"]), tuple(zip(row["src"], row["dst"], strict=True)))

    @cached_property
    def front(self) -> pa.Table:
        """The Pareto front: rows of the history that no other row dominates."""
        columns = [o.oriented(self.scored[o.name].to_numpy()) for o in self.objectives]
        return self.scored.take(front(np.column_stack(columns)))


def search(
    space_name: str | Space,
    scorer: Scorer,
    *,
    algorithm: str = ALGORITHM,
    budget: int = BUDGET,
    seed: int = SEED,
    objectives: Sequence[Objective] = ONE_OBJECTIVE,
    limits: Sequence[Limit] = (),
    network: str | None = None,
    patience: int | None = None,
    time_limit: float | None = None,
    recorded: pa.Table | None = None,
    after: Callable[[Candidates], None] | None = None,
) -> SearchResult:
    """Search a space (paper, Algorithm 1).

    The algorithm proposes cells and learns from their scores. Cells that are isomorphic without
    dead operators count as one: the first is scored, the others take its score. Cells beyond a
    limit are not scored. Equal arguments give equal results, apart from times.

    Args:
        space_name: a space, or the name or TOML file of one.
        scorer: rates the cells.
        algorithm: a key of `snap_evo.algorithms.ALGORITHMS`.
        budget: number of candidates that the algorithm may propose, repetitions included.
        seed: of all randomness.
        objectives: what to optimise; several need an algorithm of `MANY_OBJECTIVES`.
        limits: limits on the costs of cells.
        network: the network whose costs count: `imagenet`, or the benchmark's own if None.
        patience: stop after this many candidates in a row without a better score.
        time_limit: seconds after which to stop, without waiting for a scorer that is running.
        recorded: history of an earlier run of the same search, which continues with its scores.
        after: called after every generation with all candidates so far.

    Raises:
        SnapError: an argument is unknown or out of range, the scorer failed, or no candidate was
            within the limits.
    """
    for name, value in (("budget", budget), ("patience", patience), ("time limit", time_limit)):
        if value is not None and not 0 < value < np.inf:
            raise SnapError(
                f"a {name} of {excerpt(value)} allows no search; it must be finite and above 0"
            )
    if not 0 <= seed <= MOST_SEED:
        raise SnapError(f"the seed {excerpt(seed)} must be from 0 to {MOST_SEED}")
    search_space = space(space_name)
    solver = start(algorithm, search_space, seed, len(objectives))
    check_network(search_space.name, network)
    tabulate = partial(cell_graphs, search_space, network)
    candidates = Candidates(tabulate, scorer, objectives, limits, time_limit, recorded)
    out_of_time = False
    try:
        stopped = _run(solver, candidates, budget, patience, after)
    except OutOfTimeError:
        stopped, out_of_time = f"the time limit of {time_limit:g} s", True
    if not candidates.evaluations:
        raise SnapError(f"nothing was scored before {stopped}; allow more")
    return SearchResult(
        space=search_space.name,
        algorithm=algorithm,
        seed=seed,
        objectives=tuple(objectives),
        limits=tuple(limits),
        history=candidates.history(),
        best=_best(candidates, limits),
        stopped=stopped,
        out_of_time=out_of_time,
        seconds=candidates.seconds,
        scoring_seconds=candidates.scoring_seconds,
    )


def _run(
    solver: Algorithm,
    candidates: Candidates,
    budget: int,
    patience: int | None,
    after: Callable[[Candidates], None] | None,
) -> str:
    """Search until there is a reason to stop, and return it."""
    while (left := budget - candidates.evaluations) > 0:
        if patience is not None and candidates.since_best >= patience:
            return f"{candidates.since_best:,} candidates without a better score"
        cells = solver.ask()[:left]
        if not cells:
            return "the last cell of the space"
        values, excess = candidates.add(cells)
        if after:
            after(candidates)
        if len(cells) < left:
            solver.tell(values, excess)
    return f"the budget of {budget:,}"


def _best(candidates: Candidates, limits: Sequence[Limit]) -> pa.Table:
    if candidates.best is None:
        history = candidates.history()
        limits_and_range = "; ".join(
            f"{limit} (candidates have {min(seen):,.0f} to {max(seen):,.0f})"
            for limit in limits
            if (seen := history[limit.column].to_pylist())
        )
        raise SnapError(
            f"none of {candidates.evaluations:,} candidates keeps to {limits_and_range}; "
            "widen the limits"
        )
    return candidates.best
