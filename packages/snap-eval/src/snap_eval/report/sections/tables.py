"""Tables and curves of trials (paper, Tables 2 to 8 and Figure 6)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from snap_eval.report import charts
from snap_eval.report.curves import labelled
from snap_eval.report.figures import Absent, Chart, Entry, Part, Skipped, Table, entry, spread
from snap_eval.report.results import File, Results
from snap_eval.report.sections.best_so_far import is_comparison

_REPRODUCE = "uv run --all-groups python -m tools.reproduce"
EXPECTED: Mapping[str, tuple[str, str]] = {
    "table-2-encoders": (
        "Table 2: encoders and lengths of descriptions",
        "uv run --all-groups python -m tools.measure.encoder lengths",
    ),
    "table-3-found": ("Table 3: cells found on NAS-Bench-201", _REPRODUCE),
    "table-4-imagenet": ("Table 4: ImageNet, mobile setting", _REPRODUCE),
    "table-5-proxies": ("Table 5: zero-shot methods", _REPRODUCE),
    "table-6-ablation": (
        "Table 6: ablation",
        "uv run --all-groups python -m tools.measure.ablation",
    ),
    "table-7-predictors": ("Table 7: predictor-based search", _REPRODUCE),
    "table-8-cosines": (
        "Table 8: cosines of pairs",
        "uv run --all-groups python -m tools.measure.encoder separation",
    ),
}
"""The titles of the paper's tables and the commands that measure them, by file name."""
CURVE = "figure-6-training-size"
_SHARE = "share trained on (%)"
_QUANTITIES = {"spearman": "Spearman's rho", "kendall_tau_b": "Kendall's tau"}


@dataclass(frozen=True)
class Measured:
    """The values of a quantity in one setting: one measured per seed, and the paper's."""

    values: Sequence[float]
    reported: float | None

    @property
    def mean(self) -> float | None:
        """The mean of the measured values; None if there are none."""
        return fmean(self.values) if self.values else None

    @property
    def deviation(self) -> float | None:
        """Their standard deviation; None for fewer than two."""
        return stdev(self.values) if len(self.values) > 1 else None


def training_size(results: Results) -> Iterator[Part]:
    """Show correlations over the share of NAS-Bench-101 used for training (Figure 6)."""
    file = results.trials(CURVE)
    if file is None:
        yield Absent(
            "training-size curve (Figure 6)",
            "uv run --all-groups python -m tools.measure.training_size",
        )
        return
    points = [point for quantity in _QUANTITIES for point in _points(file, quantity)]
    if not points:
        yield Skipped(f"{file.name}.parquet as a curve", f"no setting has a number {_SHARE!r}")
        return
    yield Chart(
        f"{CURVE}-curve",
        "How much needs to be trained on (Figure 6)",
        f"{file.facts['snap.population']}. Mean over the seeds, with a band of one standard "
        "deviation to either side.",
        labelled(points),
        file.facts["snap.command"],
        charts.curves(
            "percent of the cells trained on",
            "correlation on the others",
            ticks=sorted({point["x"] for point in points}),
        ),
    )


def tables(results: Results) -> Iterator[Part]:
    """Show each file of trials, except comparisons of searches, with the paper's values."""
    for name, (title, command) in EXPECTED.items():
        if results.trials(name) is None:
            yield Absent(title, command)
    for file in results.of("trials"):
        if not is_comparison(file):
            yield _table(file)


def _points(file: File, quantity: str) -> Iterator[dict[str, Any]]:
    shares = {setting: json.loads(setting).get(_SHARE) for setting in measured(file)}
    found = {
        shares[setting]: of[quantity]
        for setting, of in measured(file).items()
        if quantity in of and isinstance(shares[setting], int | float)
    }
    for share, point in sorted(found.items()):
        if point.mean is not None:
            yield {
                "series": _QUANTITIES[quantity],
                "x": float(share),
                "mean": point.mean,
                "low": point.mean - (point.deviation or 0),
                "high": point.mean + (point.deviation or 0),
                "seeds": len(point.values),
            }


def measured(file: File) -> dict[str, dict[str, Measured]]:
    """Return the values of each quantity by setting, in the order of the file."""
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in file.table.to_pylist():
        found.setdefault(row["setting"], {}).setdefault(row["quantity"], []).append(row)
    return {
        setting: {quantity: _measured(rows) for quantity, rows in of.items()}
        for setting, of in found.items()
    }


def _measured(rows: Sequence[Mapping[str, Any]]) -> Measured:
    values = [row["value"] for row in rows if row["value"] is not None]
    return Measured(values, next((r["reported"] for r in rows if r["reported"] is not None), None))


def _table(file: File) -> Table:
    columns = dict(_columns(measured(file)))
    return Table(
        Path(file.name).name,
        file.facts["snap.title"],
        f"{file.facts['snap.population']}.",
        file.table,
        file.facts["snap.command"],
        list(columns),
        list(zip(*columns.values(), strict=True)),
        {},
    )


def _columns(found: Mapping[str, Mapping[str, Measured]]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield the varied settings, then each quantity with the paper's values."""
    settings = [json.loads(setting) for setting in found]
    for key in dict.fromkeys(key for setting in settings for key in setting):
        yield key, [entry(setting.get(key)) for setting in settings]
    seeds = [max(len(value.values) for value in of.values()) for of in found.values()]
    if max(seeds, default=0) > 1:
        yield "seeds", [entry(count) for count in seeds]
    for quantity in dict.fromkeys(quantity for of in found.values() for quantity in of):
        values = [of.get(quantity, Measured((), None)) for of in found.values()]
        if any(value.values for value in values):
            yield quantity, [spread(value.mean, value.deviation) for value in values]
        if any(value.reported is not None for value in values):
            yield f"{quantity}, paper", [entry(value.reported) for value in values]
