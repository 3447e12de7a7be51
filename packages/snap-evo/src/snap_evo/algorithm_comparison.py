"""Compare search algorithms over many seeds, in parallel processes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean, stdev
from typing import TYPE_CHECKING

import numpy as np

from snap_evo.objectives import Floats
from snap_evo.plan import Plan
from snap_evo.registry import load_scorer
from snap_evo.workers import shared

if TYPE_CHECKING:
    from snap_evo.measuring.replay import Replay


@dataclass(frozen=True)
class Run:
    """One search of a comparison.

    Attributes:
        algorithm: its algorithm.
        seed: its seed.
        arch_id: the best cell it found.
        best: (evaluations,) the best score so far after every candidate, -inf before the first
            within the limits. Of a search that measures, the best value after every measurement.
        distinct: cells scored, or measured.
        seconds: how long it took.
    """

    algorithm: str
    seed: int
    arch_id: str
    best: Floats
    distinct: int
    seconds: float

    def evaluations_to(self, score: float) -> float:
        """Return how many candidates it took to reach a score; infinity where it did not."""
        reached = np.flatnonzero(self.best >= score)
        return float(reached[0] + 1) if reached.size else np.inf


def compare(plans: "Sequence[Plan | Replay]", jobs: int) -> Iterator[Run]:
    """Carry out searches, some at a time; the searches end with the iterator.

    Args:
        plans: the searches.
        jobs: processes.

    Yields:
        One run a plan, in the order of the plans.

    Raises:
        SnapError: one of the searches failed, or its process was killed.
    """
    yield from shared(carry_out, plans, jobs)


@dataclass(frozen=True)
class Row:
    """One algorithm of a comparison, over its runs.

    Attributes:
        algorithm: the algorithm.
        runs: number of runs.
        score: mean of the best scores.
        deviation: their sample standard deviation; None of a single run.
        reached: how many runs reached the best score of all.
        evaluations: median number of candidates until then, a run that did not reach it counting
            as endless; None where that is endless.
        distinct: mean number of cells scored.
        seconds: mean time of a run.
    """

    algorithm: str
    runs: int
    score: float
    deviation: float | None
    reached: int
    evaluations: float | None
    distinct: float
    seconds: float


def rows(runs: Iterable[Run], best: float) -> list[Row]:
    """Sum up runs by algorithm.

    Args:
        runs: the runs.
        best: the score to reach.
    """
    return [_row(name, group, best) for name, group in by_algorithm(runs).items()]


def by_algorithm(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Group runs."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.algorithm, []).append(run)
    return groups


def regrets(runs: Iterable[Run], best: float) -> dict[str, Floats]:
    """Return (runs, evaluations) distances of the best so far from the best there is, by algorithm.

    A run that ended early keeps the regret that it ended with.
    """
    return {name: best - curves for name, curves in best_so_far(runs).items()}


def best_so_far(runs: Iterable[Run]) -> dict[str, Floats]:
    """Return the (runs, evaluations) best so far, by algorithm.

    A run that ended early keeps the value that it ended with.
    """
    groups = by_algorithm(runs)
    longest = max(len(run.best) for group in groups.values() for run in group)
    return {
        name: np.stack(
            [np.pad(run.best, (0, longest - len(run.best)), mode="edge") for run in group]
        )
        for name, group in groups.items()
    }


def _row(name: str, runs: Sequence[Run], best: float) -> Row:
    scores = [float(run.best[-1]) for run in runs]
    evaluations = np.array([run.evaluations_to(best) for run in runs])
    median = float(np.median(evaluations))
    return Row(
        algorithm=name,
        runs=len(runs),
        score=mean(scores),
        deviation=stdev(scores) if len(runs) > 1 else None,
        reached=int(np.isfinite(evaluations).sum()),
        evaluations=median if np.isfinite(median) else None,
        distinct=float(np.mean([run.distinct for run in runs])),
        seconds=float(np.mean([run.seconds for run in runs])),
    )


_scorer = cache(load_scorer)
"""Makes a scorer once a process."""


def carry_out(plan: "Plan | Replay") -> Run:
    """Carry out one search."""
    return _searched(plan) if isinstance(plan, Plan) else _measured(plan)


def _searched(plan: Plan) -> Run:
    result = plan.carry_out(_scorer(plan.scorer))
    scores = result.history["score"].fill_null(-np.inf).to_numpy()
    return Run(
        algorithm=plan.algorithm,
        seed=plan.seed,
        arch_id=str(result.best["arch_id"][0]),
        best=np.maximum.accumulate(scores),
        distinct=result.distinct,
        seconds=result.seconds,
    )


def _measured(replay: "Replay") -> Run:
    result = replay.carry_out(_scorer(replay.plan.scorer))
    values = np.where(np.isfinite(result.values), result.values, -np.inf)
    return Run(
        algorithm=replay.plan.algorithm,
        seed=replay.plan.seed,
        arch_id=str(result.graphs["arch_id"][int(np.argmax(values))]),
        best=np.maximum.accumulate(values),
        distinct=len(values),
        seconds=result.seconds,
    )
