"""Rows of `correlations` files, selected and grouped for the report."""

import json
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, TypeVar

from snap_eval.correlations import BASELINES
from snap_eval.report.results import File, Results

Row = Mapping[str, Any]
"""A row of the `correlations` contract with the entry `is_baseline`."""

Key = TypeVar("Key", bound=Hashable)

COMMAND = "snap-eval correlate --graphs GRAPHS.parquet --scores SCORES.parquet --flip"
_ROLES = ("develop", "test", "validate", "train")


def chosen(results: Results, statistic: str, population: str = "all") -> list[Row]:
    """Return the rows of a statistic, in the order of roles, benchmarks and metrics.

    Predictors keep their sign. A baseline, a column of the benchmark, has the sign with the higher
    value.
    """
    found = [
        row
        for row in rows(results)
        if row["statistic"] == statistic
        and row["population"] == population
        and row["value"] is not None
        and (row["sign"] == 1 or row["is_baseline"])
    ]
    groups = grouped(found, lambda row: (*_place(row), row["scorer"]))
    best = [max(same, key=lambda row: (row["value"], row["sign"])) for same in groups.values()]
    return sorted(best, key=lambda row: (_place(row), -row["value"], row["scorer"]))


def rows(results: Results) -> list[Row]:
    """Return all rows except those of `--by`; figures that are not finite are None."""
    return [_finite(row) for file in results.of("correlations") for row in _rows(file)]


def _rows(file: File) -> Iterator[Row]:
    baselines = _baselines(file)
    for row in [] if "group" in file.table.column_names else file.table.to_pylist():
        yield row | {"is_baseline": row["scorer"] in baselines}


def _baselines(file: File) -> list[str]:
    try:
        names = json.loads(file.facts.get(BASELINES, "[]"))
    except (ValueError, RecursionError) as error:
        raise file.fault(BASELINES) from error
    if not isinstance(names, list):
        raise file.fault(BASELINES)
    return names


def _finite(row: Row) -> Row:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def _place(row: Row) -> tuple[int, str, str]:
    role = _ROLES.index(row["role"]) if row["role"] in _ROLES else len(_ROLES)
    return role, row["benchmark"], row["metric"]


def role(row: Row) -> str:
    """Return the role of a metric in the catalog; empty if it is not in the catalog."""
    return row["role"] if row["role"] in _ROLES else ""


def target(row: Row) -> str:
    """Return the title of a benchmark and metric, with the role if the catalog has one."""
    return f"{row['benchmark']} {row['metric']}" + (f" [{role(row)}]" if role(row) else "")


def scorer(row: Row) -> str:
    """Return the name of a scorer, after a minus if its scores are negated."""
    return f"{'-' if row['sign'] < 0 else ''}{row['scorer']}"


def is_predictor(row: Row) -> bool:
    """Return whether the scorer of a row is a predictor, not a baseline."""
    return not row["is_baseline"]


def by_target(found: Iterable[Row]) -> dict[str, list[Row]]:
    """Group rows by benchmark and metric."""
    return grouped(found, target)


def ranked(found: Sequence[Row]) -> list[str]:
    """Order scorers: predictors before baselines, then by number of rows, then by mean."""
    groups = grouped(found, lambda row: row["scorer"])
    order = {
        name: (not is_predictor(same[0]), -len(same), -fmean(row["value"] for row in same))
        for name, same in groups.items()
    }
    return sorted(order, key=lambda name: (order[name], name))


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """Group rows by a key, in the order of the first row of each group."""
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
