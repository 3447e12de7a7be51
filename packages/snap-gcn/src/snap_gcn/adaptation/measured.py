"""Find what was measured of the architectures of a table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError, direction_of
from snap_catalog.catalog import Direction
from snap_catalog.metrics import fitting_metrics
from snap_catalog.scores import several
from snap_catalog.tables import doubles, identifiers, read_table

FEWEST, MOST = 2, 5000
"""Measurements that an adaptation takes."""

Floats = npt.NDArray[np.float64]


class Labels(NamedTuple):
    """What was measured.

    Attributes:
        metric: its name.
        direction: whether more (`max`) or less (`min`) of it is better.
        rows: (n,) rows of the table; one that was measured twice is there twice.
        values: (n,) the measurements.
    """

    metric: str
    direction: Direction
    rows: npt.NDArray[np.int64]
    values: Floats


def in_table(table: pa.Table, metric: str, direction: Direction | None, source: str) -> Labels:
    """Take the values of a metric column; rows without one were not measured.

    Args:
        table: rows of the `graphs` contract.
        metric: its column.
        direction: whether more or less is better; as the file or its name says where None.
        source: what to call the table in an error.

    Raises:
        SnapError: too few or too many rows have a value, or the direction is not known.
    """
    values = table[metric].to_numpy()
    chosen = _direction(direction, table.schema, metric, source)
    return _labels(metric, chosen, np.arange(table.num_rows), values, source)


def in_file(table: pa.Table, wanted: str, direction: Direction | None, path: str) -> Labels:
    """Read measurements from a CSV or Parquet file with the columns `arch_id` and a metric.

    An empty value is a training that failed, and is left out. Where the file has the column
    `space`, architectures are found within their space.

    Args:
        table: rows of the `graphs` contract.
        wanted: the metric's column, or part of its name.
        direction: whether more or less is better; as the table or the metric's name says where
            None.
        path: the file.

    Raises:
        SnapError: the file cannot be read, names an architecture that the table has not, has
            scores of several scorers, or has too few or too many values; or the direction is not
            known.
    """
    found = read_table(path)
    if "arch_id" not in found.column_names:
        raise SnapError(f"{path}: no column arch_id; name the architectures of the graphs in it")
    if scorers := several(found):
        raise SnapError(f"{path}: its column 'scorer' names several ({scorers}); keep one's rows")
    names = [name for name in found.column_names if name not in ("arch_id", "space")]
    fitting = [wanted] if wanted in names else fitting_metrics(wanted, names)
    if len(fitting) != 1:
        listing = ", ".join(names) or "none"
        raise SnapError(f"{path}: {wanted!r} fits {len(fitting)} columns; choose one of: {listing}")
    (metric,) = fitting
    if not metric.isprintable():
        raise SnapError(f"{path}: the column's name {metric!r} does not print; give it another")
    rows = _places(table, found, path)
    values = doubles(found, metric, path).to_numpy()
    chosen = _direction(direction, table.schema, metric, path)
    return _labels(metric, chosen, rows, values, path)


def _direction(given: Direction | None, schema: pa.Schema, metric: str, source: str) -> Direction:
    chosen = given or direction_of(schema, metric)
    if chosen is None:
        raise SnapError(f"{source}: is more of {metric!r} better? Say --direction max or min")
    return chosen


def _places(table: pa.Table, found: pa.Table, path: str) -> npt.NDArray[np.int64]:
    """Return the rows of a table whose architectures another names.

    Raises:
        SnapError: one is not there, or twice.
    """
    keys = [name for name in ("space", "arch_id") if name in found.column_names]
    known: dict[tuple[str, ...], int] = {}
    twice = set()
    for row, key in enumerate(zip(*(table[name].to_pylist() for name in keys), strict=True)):
        if key in known:
            twice.add(key)
        known[key] = row
    asked = zip(*(identifiers(found, name, path).to_pylist() for name in keys), strict=True)
    rows = []
    for number, key in enumerate(asked, start=1):
        if key not in known or key in twice:
            raise SnapError(f"{path}: row {number}: {_problem(key, key in twice)}")
        rows.append(known[key])
    return np.array(rows, np.int64)


def _problem(key: Sequence[str], is_twice: bool) -> str:
    name = " of ".join(f"{part!r:.80}" for part in reversed(key))
    if is_twice:
        return f"the graphs have {name} in several spaces; add a column space"
    return f"the graphs have no architecture {name}; add it to them"


def _labels(
    metric: str, direction: Direction, rows: npt.NDArray[np.int64], values: Floats, source: str
) -> Labels:
    """Return the rows that have a value.

    Raises:
        SnapError: a value is infinite, there are too few or too many, or all are equal.
    """
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise SnapError(
            f"{source}: row {infinite[0] + 1}: {metric} is {values[infinite[0]]}; leave it empty "
            "where a training failed"
        )
    measured = ~np.isnan(values)
    found = Labels(metric, direction, rows[measured], values[measured])
    count = len(found.values)
    if not FEWEST <= count <= MOST:
        raise SnapError(
            f"{source}: {count:,} measurements of {metric}; an adaptation takes {FEWEST} to "
            f"{MOST:,}"
        )
    if np.ptp(found.values) == 0:
        raise SnapError(f"{source}: {metric} is the same everywhere; measure more")
    return found
