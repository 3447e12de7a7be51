"""Write the results of replayed searches, per training, as a file of the `trials` contract."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog.catalog import Direction
from snap_catalog.metrics import oriented
from snap_catalog.parquet import write
from snap_catalog.schemas import contract

from snap_evo.algorithm_comparison import Run
from snap_evo.measuring.replay import Goal

FILE = "trials.parquet"
_SCHEMA = contract("trials").schema()


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
    path = folder / FILE
    rows = [row for run in runs for row in (*_curve(run, subject), *_until_found(run, subject))]
    order = "more" if subject.direction == "max" else "less"
    metadata = {
        "snap.title": f"Searching {subject.space} by measuring {subject.metric}",
        "snap.command": subject.command,
        "snap.population": f"Looked up in a table of {subject.space}; {order} is better",
    }
    table = pa.Table.from_pylist(rows, schema=_SCHEMA)
    write(table, path, "trials", producer="snap-evo", metadata=metadata)
    return str(path)


def _curve(run: Run, subject: Subject) -> Iterator[dict[str, Any]]:
    for training, best in enumerate(run.best.tolist(), start=1):
        value = subject.as_measured(best) if np.isfinite(best) else None
        yield _row(run, {"trainings": training}, subject.metric, value)


def _until_found(run: Run, subject: Subject) -> Iterator[dict[str, Any]]:
    goals = {"best 0.1 %": subject.goal.top, "best": subject.goal.best}
    for name, goal in goals.items():
        needed = run.evaluations_to(goal)
        quantity = f"trainings until the {name} ({subject.as_measured(goal):.6g})"
        yield _row(run, {}, quantity, needed if np.isfinite(needed) else None)


def _row(run: Run, setting: dict[str, int], quantity: str, value: float | None) -> dict[str, Any]:
    return {
        "setting": json.dumps({"algorithm": run.algorithm, **setting}),
        "quantity": quantity,
        "seed": run.seed,
        "value": value,
    }
