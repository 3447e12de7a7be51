"""What the metrics of a user's table are in: directions, units, and percent that is none."""

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

    The user's word goes before what is known, and that before what the name says by convention.

    Args:
        path: the table, for errors.
        name: the metric.
        values: (n,) its values; NaN if there is none.
        known: what the catalog or the table says of it.
        request: what the user says.

    Raises:
        SnapError: nothing is known of the metric.
    """
    said = request.declared.get(name, Declared())
    facts = known or conventional_metric(name)
    if facts is None and said == Declared():
        raise SnapError(
            f"{path}: the catalog does not know the metric {name!r}; drop it, or say "
            f"--column {_column(name, request)}={name}:UNIT:DIRECTION"
        )
    unit = said.unit if said.unit is not None else facts.unit if facts else ""
    direction = said.direction or (facts.direction if facts else "max")
    if unit == _FRACTION:
        return Metric(values * 100, direction, _PERCENT)
    return Metric(values, direction, unit)


def check_percent(path: Path, name: str, column: Metric, request: Request) -> None:
    """Refuse a column of percent whose values are none, as fractions are.

    Args:
        path: the table, for errors.
        name: the metric.
        column: all its values.
        request: what the user says; a declared unit is believed where values are low.

    Raises:
        SnapError: a value lies outside 0 and 100, or all lie within 0 and 1 and the user does not
            say that they are percent.
    """
    values = column.values[~np.isnan(column.values)]
    if column.unit != _PERCENT or not values.size:
        return
    said = request.declared.get(name, Declared())
    option = f"--column {_column(name, request)}={name}"
    outside = values[(values < -_ROUNDING) | (values > 100 + _ROUNDING)]
    if outside.size and said.unit == _FRACTION:
        raise SnapError(
            f"{path}: {name!r} holds {outside[0] / 100:g}, and a fraction lies within 0 and 1; "
            f"correct it, or say {option}:percent"
        )
    if outside.size:
        raise SnapError(
            f"{path}: {name!r} holds {outside[0]:g}, and a percent lies within 0 and 100; "
            f"correct it, or name another unit: {option}:UNIT"
        )
    if values.max() <= 1 and said.unit is None:
        raise SnapError(
            f"{path}: {name!r} should be percent, but lies within 0 and 1; say {option}:fraction "
            f"to convert it, or {option}:percent if it is as low as that"
        )


def _column(name: str, request: Request) -> str:
    """Return the name that a metric has in the user's table."""
    names: Iterable[str] = (c for c, metric in request.columns.items() if metric == name)
    return next(iter(names), name)
