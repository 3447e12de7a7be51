"""Names of metric columns: `<dataset>/<split>/<metric>[@<epochs>][#<repeat>]`."""

import re
from collections.abc import Iterable

from snap_catalog.errors import SnapError

_METRIC = re.compile(r"(?!/)[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){1,2}(@\d+)?(#\d+)?")


def is_metric(column: str) -> bool:
    """Tell whether a column name has the form of a metric (two or three segments)."""
    return _METRIC.fullmatch(column) is not None


def resolve_metric(wanted: str, columns: Iterable[str], *, source: str) -> str:
    """Return the one metric column that `wanted` names or shortens.

    A shortening is a run of neighbouring segments, each a prefix of the column's segment:
    `cifar10/test` and `test/acc` both stand for `cifar10/test/accuracy@200`.

    Args:
        wanted: what the user typed.
        columns: the column names of the file.
        source: the file's name, for the error.

    Raises:
        SnapError: no metric column matches, or more than one does.
    """
    metrics = [c for c in columns if is_metric(c)]
    if wanted in metrics:
        return wanted
    matches = [c for c in metrics if _shortens(wanted.split("/"), c.split("/"))]
    if len(matches) == 1:
        return matches[0]
    problem = "fits no metric column" if not matches else "fits more than one metric column"
    listing = ", ".join(matches or metrics) or "none"
    raise SnapError(f"{source}: {wanted!r} {problem}; choose one of: {listing}")


def _shortens(wanted: list[str], column: list[str]) -> bool:
    windows = range(len(column) - len(wanted) + 1)
    return any(
        all(c.startswith(w) for w, c in zip(wanted, column[i:], strict=False)) for i in windows
    )
