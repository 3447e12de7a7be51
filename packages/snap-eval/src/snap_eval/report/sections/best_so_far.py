"""Compare measured searches: the best value found over the number of trainings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median, stdev
from typing import Any, NamedTuple

import numpy as np

from snap_eval.arrays import Floats, Ints
from snap_eval.report import charts
from snap_eval.report.curves import labelled
from snap_eval.report.figures import Absent, Chart, Part, Skipped, Table, plain_table, slug
from snap_eval.report.results import File, Results
from snap_eval.resampling import Resamples, interval

COMMAND = "snap-evo compare --space SPACE --measure table:GRAPHS.parquet:METRIC --out FOLDER"
_ALGORITHM, _TRAININGS = "algorithm", "trainings"
_RESAMPLES = 1000
_SETTLED = 10
"""The vertical axis holds the values after this many trainings."""


class _Run(NamedTuple):
    """The best value so far of one search.

    Attributes:
        trainings: (n,) numbers of trainings, ascending.
        best: (n,) the best value after each, NaN before the first value.
    """

    trainings: Ints
    best: Floats

    def at(self, trainings: Ints) -> Floats:
        """Return the best value after each number of trainings, the last one after the end."""
        rows = np.searchsorted(self.trainings, trainings, side="right")
        return np.concatenate([[np.nan], self.best])[rows]


Runs = Mapping[str, Sequence[_Run]]
"""The searches by algorithm, one per seed."""
Needed = dict[str, list[float | None]]
"""The trainings that each run needed, by algorithm; None for a run that did not succeed."""


def is_comparison(file: File) -> bool:
    """Return whether trials hold the best value of searches by number of trainings."""
    return any(_place(setting) for setting in file.table["setting"].unique().to_pylist())


def best_so_far(results: Results) -> Iterator[Part]:
    """Show for each comparison the best value so far, and the trainings until the best."""
    files = [file for file in results.of("trials") if is_comparison(file)]
    if not files:
        yield Absent("searches that measure, by trainings", COMMAND)
    for file in files:
        searches = _searches(file)
        for metric, runs in searches.items():
            yield _chart(file, metric, runs)
        yield _table(file, searches)


def _place(setting: str) -> tuple[str, int] | None:
    """Return the algorithm and the number of trainings of a setting; None of any other setting."""
    found = json.loads(setting)
    algorithm, trainings = found.get(_ALGORITHM), found.get(_TRAININGS)
    known = isinstance(algorithm, str) and isinstance(trainings, int) and trainings > 0
    return (algorithm, trainings) if known else None


def _searches(file: File) -> dict[str, dict[str, list[_Run]]]:
    """Return the searches by metric and algorithm, in the order of the file."""
    found: dict[str, dict[str, dict[int | None, dict[int, float]]]] = {}
    for row in file.table.to_pylist():
        if place := _place(row["setting"]):
            algorithm, trainings = place
            seeds = found.setdefault(row["quantity"], {}).setdefault(algorithm, {})
            value = np.nan if row["value"] is None else row["value"]
            seeds.setdefault(row["seed"], {})[trainings] = value
    return {
        metric: {name: [_run(points) for points in of.values()] for name, of in algorithms.items()}
        for metric, algorithms in found.items()
    }


def _run(points: Mapping[int, float]) -> _Run:
    trainings = sorted(points)
    return _Run(np.array(trainings), np.array([points[number] for number in trainings], np.float64))


def _chart(file: File, metric: str, runs: Runs) -> Chart | Skipped:
    points = list(_points(runs))
    if not points:
        return Skipped(f"{file.name}.parquet: the curve of {metric}", "not all runs have a value")
    settled = [p for p in points if p["x"] >= _SETTLED] or points
    lowest, highest = min(p["low"] for p in settled), max(p["high"] for p in settled)
    data = labelled(points, span=highest - lowest)
    top = max(highest, *data["label"].to_pylist())
    within = (lowest, top) if lowest < top else None
    seeds = ", ".join(f"{name} {len(of)}" for name, of in runs.items())
    return Chart(
        slug("best-so-far", file.name, metric),
        file.facts["snap.title"],
        "Best value so far over the number of trainings: mean of the runs, and the band where the "
        f"means of {_RESAMPLES:,} bootstrap samples of the runs lie in 95 % of them. "
        f"{file.facts['snap.population']}. Runs: {seeds}.",
        data,
        file.facts["snap.command"],
        charts.curves("trainings", f"best so far, {metric}", steps=True, within=within),
    )


def _points(runs: Runs) -> Iterator[dict[str, Any]]:
    """Yield the points of curves from the first value of all runs to the end of the longest."""
    everything = [run.trainings for of in runs.values() for run in of]
    places = np.unique(np.concatenate(everything))
    for name, of in runs.items():
        values = np.stack([run.at(places) for run in of])
        defined = np.flatnonzero(np.isfinite(values).all(axis=0))
        yield from _curve(name, places[defined], values[:, defined])


def _curve(name: str, trainings: Ints, values: Floats) -> Iterator[dict[str, Any]]:
    """Yield the first and last point of a curve, and each point at which a run improves."""
    mean, (low, high) = values.mean(axis=0), _interval(values)
    for place in range(len(trainings)):
        ends = place in (0, len(trainings) - 1)
        if ends or (values[:, place] != values[:, place - 1]).any():
            yield {
                "series": name,
                "x": int(trainings[place]),
                "mean": float(mean[place]),
                "low": float(low[place]),
                "high": float(high[place]),
                "runs": len(values),
            }


def _interval(values: Floats) -> Floats:
    """Compute the 95 % bootstrap interval, (2, n), of the means of (runs, n) values."""
    means = Resamples(len(values), _RESAMPLES, 0, exact=True).sums(values) / len(values)
    found: Floats = np.reshape([interval(column) for column in means.T], (-1, 2)).T
    return found


def _table(file: File, searches: Mapping[str, Runs]) -> Table:
    until = _until_found(file)
    names = dict.fromkeys(name for runs in searches.values() for name in runs)
    return plain_table(
        slug("trainings", file.name),
        f"{file.facts['snap.title']}: trainings until the best",
        "The median is over all runs, and empty where half of them or more did not find what they "
        "were to find; the next column says how many did.",
        file.facts["snap.command"],
        [dict(_facts(name, searches, until)) for name in names],
    )


def _facts(
    algorithm: str, searches: Mapping[str, Runs], until: Mapping[str, Needed]
) -> Iterator[tuple[str, str | float | None]]:
    """Yield the columns of the table for an algorithm."""
    yield _ALGORITHM, algorithm
    yield "runs", max(len(runs.get(algorithm, ())) for runs in searches.values())
    for metric, runs in searches.items():
        ends = [float(run.best[-1]) for run in runs.get(algorithm, ())]
        values = [value for value in ends if np.isfinite(value)]
        yield f"best {metric}, mean", fmean(values) if values else None
        yield f"best {metric}, deviation", stdev(values) if len(values) > 1 else None
    for quantity, of in until.items():
        needed = of.get(algorithm, [])
        yield f"{quantity}, median", _median(needed)
        yield f"{quantity}, runs", sum(value is not None for value in needed)


def _until_found(file: File) -> dict[str, Needed]:
    """Return the trainings that the runs needed, by goal."""
    found: dict[str, Needed] = {}
    for row in file.table.to_pylist():
        algorithm = json.loads(row["setting"]).get(_ALGORITHM)
        if isinstance(algorithm, str) and _place(row["setting"]) is None:
            found.setdefault(row["quantity"], {}).setdefault(algorithm, []).append(row["value"])
    return found


def _median(needed: Sequence[float | None]) -> float | None:
    """Return the median with None as infinity; None if the median is infinite."""
    middle = median(np.inf if value is None else value for value in needed) if needed else np.inf
    if not np.isfinite(middle):
        return None
    return int(middle) if middle == int(middle) else middle
