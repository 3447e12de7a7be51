"""Compare search algorithms over many seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from snap_evo.csv_files import write_csv
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
        arch_id: the best cell that it found.
        best: (evaluations,) the best score so far after every candidate, -inf before the first
            within the limits; or the best value so far after every measurement.
        distinct: number of cells scored or measured.
        seconds: time that it took.
    """

    algorithm: str
    seed: int
    arch_id: str
    best: Floats
    distinct: int
    seconds: float

    def evaluations_to(self, score: float) -> float:
        """Return the number of candidates until it reached a score, infinity if it did not."""
        reached = np.flatnonzero(self.best >= score)
        return float(reached[0] + 1) if reached.size else np.inf


@dataclass(frozen=True)
class Row:
    """One algorithm of a comparison, over its runs.

    Attributes:
        algorithm: the algorithm.
        runs: number of runs.
        score: mean of the best scores.
        deviation: their sample standard deviation; None for a single run.
        reached: number of runs that reached the score to reach.
        evaluations: median number of candidates until then, infinity for a run that did not reach
            it; None if the median is infinite.
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
    """Summarise runs by algorithm, given the score to reach."""
    return [_row(name, group, best) for name, group in by_algorithm(runs).items()]


def by_algorithm(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Group runs by algorithm."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.algorithm, []).append(run)
    return groups


def regrets(runs: Iterable[Run], best: float) -> dict[str, Floats]:
    """Return by algorithm (runs, evaluations) differences of the best score and the best so far.

    A run that ended early keeps its last regret.
    """
    return {name: best - curves for name, curves in best_so_far(runs).items()}


def best_so_far(runs: Iterable[Run]) -> dict[str, Floats]:
    """Return by algorithm the (runs, evaluations) best so far.

    A run that ended early keeps its last value.
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
    """Run one search of a comparison."""
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


def write_runs(runs: Sequence[Run], folder: Path) -> str:
    """Write `runs.csv`, one row per search, and return its path."""
    names = ["algorithm", "seed", "arch_id", "score", "evaluations", "distinct", "seconds"]
    rows = []
    for run in runs:
        found = (run.arch_id, float(run.best[-1]), run.evaluations_to(float(run.best[-1])))
        rows.append([run.algorithm, run.seed, *found, run.distinct, run.seconds])
    return write_csv(folder / "runs.csv", names, rows)
