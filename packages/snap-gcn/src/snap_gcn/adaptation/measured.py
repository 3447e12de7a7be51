"""Find what was measured of the architectures of a table."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.conventions import conventional_metric
from snap_catalog.metrics import fitting_metrics, resolve_metric

FEWEST, MOST = 2, 5000
"""Measurements that an adaptation takes."""

Direction = Literal["max", "min"]


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
    values: npt.NDArray[np.float64]


def in_table(table: pa.Table, wanted: str, source: str) -> Labels:
    """Take the values of a metric column; rows without one were not measured.

    Raises:
        SnapError: no metric column or more than one fits, or too few or too many rows have a value.
    """
    metric = resolve_metric(wanted, table.column_names, source=source)
    direction = _stated(table, metric) or "max"
    values = table[metric].to_numpy().astype(np.float64)
    rows = np.flatnonzero(np.isfinite(values))
    return _enough(Labels(metric, direction, rows, values[rows]), source)


def in_csv(table: pa.Table, wanted: str, direction: Direction | None, path: Path) -> Labels:
    """Read measurements from a CSV file with the columns `arch_id` and a metric.

    An empty value is a training that failed, and is left out.

    Args:
        table: the architectures.
        wanted: the metric's column, or part of its name.
        direction: whether more or less is better; as the table's column or the
            catalog's conventions say where None.
        path: the file.

    Raises:
        SnapError: the file cannot be read, names an architecture that the table has not, or has
            too few or too many values; or the direction is not known.
    """
    names, lines = _read(path)
    fitting = [wanted] if wanted in names else fitting_metrics(wanted, names)
    if len(fitting) != 1:
        listing = ", ".join(name for name in names if name != "arch_id") or "none"
        raise SnapError(f"{path}: {wanted!r} fits {len(fitting)} columns; choose one of: {listing}")
    (metric,) = fitting
    ids = table["arch_id"].to_pylist()
    place = {name: row for row, name in enumerate(ids)}
    if len(place) < len(ids):
        raise SnapError(f"{path}: the graphs name an architecture twice; keep one row of each")
    found = [
        (place[arch_id], value)
        for number, arch_id, text in _cells(names, lines, metric, path)
        if (value := _number(text, number, path)) is not None
        and _known(arch_id, place, number, path)
    ]
    facts = conventional_metric(metric)
    chosen = direction or _stated(table, metric) or (facts.direction if facts else None)
    if chosen is None:
        raise SnapError(f"{path}: is more of {metric!r} better? Say --direction max or min")
    rows, values = zip(*found, strict=True) if found else ((), ())
    labels = Labels(metric, chosen, np.array(rows, np.int64), np.array(values, np.float64))
    return _enough(labels, str(path))


def _stated(table: pa.Table, metric: str) -> Direction | None:
    """Return the direction that a table states of a metric."""
    if metric not in table.column_names:
        return None
    stated = (table.schema.field(metric).metadata or {}).get(b"direction")
    return None if stated is None else "min" if stated == b"min" else "max"


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SnapError(f"{path}: cannot be read ({reason}); name a CSV file") from error
    if "arch_id" not in names:
        raise SnapError(f"{path}: no column arch_id; its first line must name the columns")
    return names, lines


def _cells(
    names: Sequence[str], lines: Sequence[Sequence[str]], metric: str, path: Path
) -> list[tuple[int, str, str]]:
    """Return number, architecture and value of every line that is not empty."""
    ids, column = names.index("arch_id"), names.index(metric)
    found = []
    for number, line in enumerate(lines, start=2):
        if line and len(line) != len(names):
            raise SnapError(f"{path}: line {number} has {len(line)} values, not {len(names)}")
        found += [(number, line[ids], line[column])] if line else []
    return found


def _number(text: str, number: int, path: Path) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SnapError(
            f"{path}: line {number}: {text!r:.40} is no number; leave it empty where a training "
            "failed"
        )
    return value


def _known(arch_id: str, place: dict[str, int], number: int, path: Path) -> bool:
    if arch_id not in place:
        raise SnapError(
            f"{path}: line {number}: the graphs have no architecture {arch_id!r:.80}; "
            "add it to them"
        )
    return True


def _enough(labels: Labels, source: str) -> Labels:
    count = len(labels.values)
    if not FEWEST <= count <= MOST:
        raise SnapError(
            f"{source}: {count:,} measurements of {labels.metric}; an adaptation takes {FEWEST} to "
            f"{MOST:,}"
        )
    if np.ptp(labels.values) == 0:
        raise SnapError(f"{source}: {labels.metric} is the same everywhere; measure more")
    return labels
