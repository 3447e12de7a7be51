"""Compare search algorithms over many seeds."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog.catalog import Direction
from snap_catalog.metrics import oriented
from snap_catalog.parquet import write
from snap_catalog.schemas import contract

from snap_evo.csv_files import write_csv
from snap_evo.measuring.replay import Goal, Replay
from snap_evo.objectives import Floats
from snap_evo.registry import load_scorer
from snap_evo.search_options import ScoredSearch

TRIALS = "trials.parquet"


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
    found = []
    for name, group in by_algorithm(runs).items():
        scores = [float(run.best[-1]) for run in group]
        evaluations = np.array([run.evaluations_to(best) for run in group])
        median = float(np.median(evaluations))
        row = Row(
            algorithm=name,
            runs=len(group),
            score=mean(scores),
            deviation=stdev(scores) if len(group) > 1 else None,
            reached=int(np.isfinite(evaluations).sum()),
            evaluations=median if np.isfinite(median) else None,
            distinct=float(np.mean([run.distinct for run in group])),
            seconds=float(np.mean([run.seconds for run in group])),
        )
        found.append(row)
    return found


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
        best = float(run.best[-1])
        found = (run.arch_id, best, run.evaluations_to(best))
        rows.append([run.algorithm, run.seed, *found, run.distinct, run.seconds])
    return write_csv(folder / "runs.csv", names, rows)


class Subject(NamedTuple):
    """The subject of a comparison."""

    space: str
    metric: str
    direction: Direction
    goal: Goal
    command: str

    def as_measured(self, value: float) -> float:
        """Return the value of the metric, given the value for which higher is better."""
        return oriented(value, self.direction)


def write_trials(runs: Sequence[Run], subject: Subject, folder: Path) -> str:
    """Write `trials.parquet`, and return its path.

    Each run has a row per training with the best value so far, null before the first value, and a
    row per goal with the number of trainings until it was found, null if it was not. Values are
    those of the metric, not oriented.
    """
    path = folder / TRIALS
    rows = [row for run in runs for row in (*_curve(run, subject), *_until_found(run, subject))]
    order = "more" if subject.direction == "max" else "less"
    metadata = {
        "snap.title": f"Searching {subject.space} by measuring {subject.metric}",
        "snap.command": subject.command,
        "snap.population": f"Looked up in a table of {subject.space}; {order} is better",
    }
    table = pa.Table.from_pylist(rows, schema=contract("trials").schema())
    write(table, path, "trials", producer="snap-evo", metadata=metadata)
    return str(path)


def _curve(run: Run, subject: Subject) -> Iterator[dict[str, Any]]:
    for training, best in enumerate(run.best.tolist(), start=1):
        value = subject.as_measured(best) if np.isfinite(best) else None
        yield _trial(run, {"trainings": training}, subject.metric, value)


def _until_found(run: Run, subject: Subject) -> Iterator[dict[str, Any]]:
    goals = {"best 0.1 %": subject.goal.top, "best": subject.goal.best}
    for name, goal in goals.items():
        needed = run.evaluations_to(goal)
        quantity = f"trainings until the {name} ({subject.as_measured(goal):.6g})"
        yield _trial(run, {}, quantity, needed if np.isfinite(needed) else None)


def _trial(run: Run, setting: dict[str, int], quantity: str, value: float | None) -> dict[str, Any]:
    return {
        "setting": json.dumps({"algorithm": run.algorithm, **setting}),
        "quantity": quantity,
        "seed": run.seed,
        "value": value,
    }
