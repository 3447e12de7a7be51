"""Read the measurements of the architectures of a table."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError, direction_of
from snap_catalog.catalog import Direction
from snap_catalog.metrics import fitting_metrics
from snap_catalog.scores import several
from snap_catalog.tables import doubles, identifiers, read_table
from snap_graphs.arrays import Ints

from snap_gcn.data.arrays import Floats

FEWEST, MOST = 2, 5000
"""The number of measurements that an adaptation accepts."""


class Measurements(NamedTuple):
    """Measurements of a metric."""

    metric: str  # the metric's name
    direction: Direction  # whether higher (`max`) or lower (`min`) values are better
    rows: Ints  # (n,) rows of the table; rows measured several times repeat
    values: Floats  # (n,) the measurements


def in_table(
    table: pa.Table, metric: str, direction: Direction | None, source: str
) -> Measurements:
    """Read a metric column of a table of the `graphs` contract; null values were not measured.

    Without a direction, the table or the metric's name determines it.

    Raises:
        SnapError: too few or too many rows have a value, or the direction is unknown.
    """
    values = table[metric].to_numpy()
    chosen = _direction(direction, table.schema, metric, source)
    return _measurements(metric, chosen, np.arange(table.num_rows), values, source)


def in_file(table: pa.Table, wanted: str, direction: Direction | None, path: str) -> Measurements:
    """Read measurements from a CSV or Parquet file with the columns `arch_id` and a metric.

    Empty values, which stand for failed trainings, are left out. If the file has the column
    `space`, architectures are looked up within their space in the table. `wanted` is the metric's
    column or part of its name; `direction` is as in `in_table`.

    Raises:
        SnapError: the file cannot be read, names an unknown architecture, has scores of several
            scorers, or has too few or too many values; or the direction is unknown.
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
    rows = _rows(table, found, path)
    values = doubles(found, metric, path).to_numpy()
    chosen = _direction(direction, table.schema, metric, path)
    return _measurements(metric, chosen, rows, values, path)


def _direction(given: Direction | None, schema: pa.Schema, metric: str, source: str) -> Direction:
    chosen = given or direction_of(schema, metric)
    if chosen is None:
        raise SnapError(
            f"{source}: are higher values of {metric!r} better? Give --direction max or min"
        )
    return chosen


def _rows(table: pa.Table, found: pa.Table, path: str) -> Ints:
    """Look up the architectures of `found` in a table; they must be there, and unambiguous."""
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
            name = " of ".join(f"{part!r:.80}" for part in reversed(key))
            problem = f"the graphs have no architecture {name}; add it to them"
            if key in twice:
                problem = f"the graphs have {name} in several spaces; add a column space"
            raise SnapError(f"{path}: row {number}: {problem}")
        rows.append(known[key])
    return np.array(rows, np.int64)


def _measurements(
    metric: str, direction: Direction, rows: Ints, values: Floats, source: str
) -> Measurements:
    """Keep the rows that have a value, after checking the values and their number."""
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise SnapError(
            f"{source}: row {infinite[0] + 1}: {metric} is {values[infinite[0]]}; leave it empty "
            "if the training failed"
        )
    measured = ~np.isnan(values)
    found = Measurements(metric, direction, rows[measured], values[measured])
    count = len(found.values)
    if not FEWEST <= count <= MOST:
        raise SnapError(
            f"{source}: {count:,} measurements of {metric}; an adaptation takes {FEWEST} to "
            f"{MOST:,}"
        )
    if np.ptp(found.values) == 0:
        raise SnapError(f"{source}: all values of {metric} are equal; measure more")
    return found
