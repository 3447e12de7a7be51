"""Names of metric columns: `<dataset>/<split>/<metric>[@<epochs>][#<repeat>]`."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from snap_catalog.errors import SnapError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from snap_catalog.catalog import Direction

_METRIC = re.compile(r"(?!/)[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){1,2}(@\d+)?(#\d+)?")


def is_metric(column: str) -> bool:
    """Return whether a column name has the form of a metric (two or three segments)."""
    return _METRIC.fullmatch(column) is not None


_Values = TypeVar("_Values", float, "npt.NDArray[np.float64]")


def oriented(values: _Values, direction: "Direction") -> _Values:
    """Return a metric's values such that higher is better: negated if `direction` is `min`.

    Applied twice, it returns the values themselves.
    """
    return values if direction == "max" else -values


def resolve_metric(wanted: str, columns: Iterable[str], *, source: str) -> str:
    """Return the one metric column that `wanted` names or abbreviates; see `fitting_metrics`.

    Args:
        wanted: the name that the user gave.
        columns: the column names of the file.
        source: name of the file, for errors.

    Raises:
        SnapError: no metric column matches, or more than one does.
    """
    metrics = [c for c in columns if is_metric(c)]
    matches = fitting_metrics(wanted, metrics)
    if len(matches) == 1:
        return matches[0]
    problem = "fits no metric column" if not matches else "fits more than one metric column"
    listing = ", ".join(matches or metrics) or "none"
    raise SnapError(f"{source}: {wanted!r} {problem}; choose one of: {listing}")


def fitting_metrics(wanted: str, columns: Iterable[str]) -> list[str]:
    """Return the metric columns that `wanted` names or abbreviates.

    An abbreviation is a sequence of adjacent segments, each a prefix of a segment of the column:
    `cifar10/test` and `test/acc` both stand for `cifar10/test/accuracy@200`. If several columns
    match, those with the most complete segments (ignoring epochs and repeat) are returned:
    `cifar10/test` does not stand for `cifar100/test/accuracy@200`.
    """
    metrics = [c for c in columns if is_metric(c)]
    if wanted in metrics:
        return [wanted]
    whole = {c: _whole_segments(wanted.split("/"), c.split("/")) for c in metrics}
    return [c for c in metrics if whole[c] == max(whole.values()) >= 0]


def _whole_segments(wanted: list[str], column: list[str]) -> int:
    """Count the complete segments of the best match; -1 if there is none."""
    windows = (column[i : i + len(wanted)] for i in range(len(column) - len(wanted) + 1))
    fitting = [w for w in windows if all(map(str.startswith, w, wanted))]
    counts = (
        sum(re.split("[@#]", c)[0] == s for c, s in zip(w, wanted, strict=True)) for w in fitting
    )
    return max(counts, default=-1)
