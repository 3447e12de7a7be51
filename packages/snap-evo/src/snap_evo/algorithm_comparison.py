"""Compare search algorithms over many seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean, stdev

import numpy as np

from snap_evo.measuring.replay import Replay
from snap_evo.objectives import Floats
from snap_evo.registry import load_scorer
from snap_evo.search_options import ScoredSearch


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
"""Makes a scorer once per process."""


def run_search(search: ScoredSearch | Replay) -> Run:
    """Run one search of a comparison.

    Raises:
        SnapError: the search failed.
    """
    if isinstance(search, Replay):
        options = search.search
        replayed = search.run(_scorer(options.scorer))
        values = np.where(np.isfinite(replayed.values), replayed.values, -np.inf)
        best = replayed.graphs.slice(int(np.argmax(values)), 1)
        distinct, seconds = len(values), replayed.seconds
    else:
        options = search
        result = search.run(_scorer(options.scorer))
        values = result.history["score"].fill_null(-np.inf).to_numpy()
        best, distinct, seconds = result.best, result.distinct, result.seconds
    return Run(
        algorithm=options.algorithm,
        seed=options.seed,
        arch_id=str(best["arch_id"][0]),
        best=np.maximum.accumulate(values),
        distinct=distinct,
        seconds=seconds,
    )
