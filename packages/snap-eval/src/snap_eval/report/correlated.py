"""What the report takes from files of the `correlations` contract."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, TypeVar

from snap_eval.report.results import Results

Row = Mapping[str, Any]
"""A row of the `correlations` contract whose value is defined."""

Key = TypeVar("Key", bound=Hashable)

COMMAND = "snap-eval correlate --graphs GRAPHS.parquet --scores SCORES.parquet --flip"
_ROLES = ("develop", "test", "validate", "train", "unknown")


def chosen(results: Results, statistic: str, population: str = "all") -> list[Row]:
    """Return the rows of a statistic, in the order of roles, benchmarks and metrics.

    Of a predictor, that is a scorer with seeds, only the sign it has; of a yardstick the one of the
    two that favours it.
    """
    rows = [
        row
        for row in results.rows("correlations")
        if row["statistic"] == statistic
        and row["population"] == population
        and row["value"] is not None
        and (row["sign"] == 1 or not row["seeds"])
    ]
    groups = grouped(rows, lambda row: (*_place(row), row["scorer"]))
    best = [max(same, key=lambda row: (row["value"], row["sign"])) for same in groups.values()]
    return sorted(best, key=lambda row: (_place(row), -row["value"], row["scorer"]))


def _place(row: Row) -> tuple[int, str, str]:
    return _ROLES.index(row["role"]), row["benchmark"], row["metric"]


def target(row: Row) -> str:
    """Name what was to be predicted, and its role."""
    return f"{row['benchmark']} {row['metric']} [{row['role']}]"


def scorer(row: Row) -> str:
    """Name what gave the scores, and the sign it was given."""
    return f"{'-' if row['sign'] < 0 else ''}{row['scorer']}"


def is_predictor(row: Row) -> bool:
    """Tell whether a row is of a trained model rather than of a yardstick, which needs none."""
    return bool(row["seeds"])


def by_target(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Group rows by what was to be predicted."""
    return grouped(rows, target)


def ranked(rows: Sequence[Row]) -> list[str]:
    """Return the scorers: predictors before yardsticks, then by how many rows, then by mean."""
    groups = grouped(rows, lambda row: row["scorer"])
    order = {
        name: (not is_predictor(same[0]), -len(same), -fmean(row["value"] for row in same))
        for name, same in groups.items()
    }
    return sorted(order, key=lambda name: (order[name], name))


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """Group rows by a key, in the order of their first."""
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
