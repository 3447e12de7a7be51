"""Determine and check the units and directions of metrics."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from snap_catalog import MetricFacts, SnapError, conventional_metric

from snap_graphs.formats.base import Declared, Request
from snap_graphs.table import Metric

_PERCENT, _FRACTION = "percent", "fraction"
_ROUNDING = 1e-9

Values = npt.NDArray[np.float64]


def metric(
    path: Path, name: str, values: Values, known: MetricFacts | None, request: Request
) -> Metric:
    """Return a metric column with its direction and unit; fractions become percent.

    User declarations take precedence over known facts, and these over naming conventions.

    Args:
        path: the table, for errors.
        name: the metric.
        values: (n,) its values; NaN if missing.
        known: facts from the catalog or the table.
        request: the user's declarations.

    Raises:
        SnapError: the metric is unknown.
    """
    stated = request.declared.get(name, Declared())
    facts = known or conventional_metric(name)
    if facts is None and stated == Declared():
        raise SnapError(
            f"{path}: unknown metric {name!r}; remove it, or add "
            f"--column {_column(name, request)}={name}:UNIT:DIRECTION"
        )
    unit = stated.unit if stated.unit is not None else facts.unit if facts else ""
    direction = stated.direction or (facts.direction if facts else "max")
    if unit == _FRACTION:
        return Metric(values * 100, direction, _PERCENT)
    return Metric(values, direction, unit)


def check_percent(path: Path, name: str, column: Metric, request: Request) -> None:
    """Refuse a column in percent whose values are not percentages.

    Args:
        path: the table, for errors.
        name: the metric.
        column: all its values.
        request: the user's declarations; with a declared unit, low values are accepted.

    Raises:
        SnapError: a value is outside 0 to 100, or all values are between 0 and 1 and the user does
            not declare them as percent.
    """
    values = column.values[~np.isnan(column.values)]
    if column.unit != _PERCENT or not values.size:
        return
    stated = request.declared.get(name, Declared())
    option = f"--column {_column(name, request)}={name}"
    outside = values[(values < -_ROUNDING) | (values > 100 + _ROUNDING)]
    if outside.size and stated.unit == _FRACTION:
        raise SnapError(
            f"{path}: {name!r} holds {outside[0] / 100:g}, and a fraction lies within 0 and 1; "
            f"correct it, or add {option}:percent"
        )
    if outside.size:
        raise SnapError(
            f"{path}: {name!r} holds {outside[0]:g}, and a percent lies within 0 and 100; "
            f"correct it, or declare another unit: {option}:UNIT"
        )
    if values.max() <= 1 and stated.unit is None:
        raise SnapError(
            f"{path}: {name!r} should be percent, but all values are between 0 and 1; add "
            f"{option}:fraction to convert them, or {option}:percent if they are percent"
        )


def _column(name: str, request: Request) -> str:
    """Return the name that a metric has in the user's table."""
    names: Iterable[str] = (c for c, metric in request.columns.items() if metric == name)
    return next(iter(names), name)
