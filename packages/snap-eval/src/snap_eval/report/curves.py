"""Curves with names that do not overlap."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

_GAP = 0.06
"""Least distance between names, as a share of the height of the chart."""


def labelled(points: Sequence[Mapping[str, Any]], *, span: float | None = None) -> pa.Table:
    """Add two columns: `label`, the height of a series' name, and `last`, 1 at its last point.

    Args:
        points: `series`, `x`, `mean`, `low` and `high`, series by series, each in the order of `x`.
        span: height of the chart in the unit of `mean`; the range of the points if None.
    """
    ends = {point["series"]: point for point in points}
    if span is None:
        span = max(p["high"] for p in points) - min(p["low"] for p in points)
    heights: dict[str, float] = {}
    for series, end in sorted(ends.items(), key=lambda item: item[1]["mean"]):
        lowest = max(heights.values(), default=float("-inf")) + _GAP * span
        heights[series] = max(end["mean"], lowest)
    return pa.Table.from_pylist(
        [
            {
                **point,
                "label": heights[point["series"]],
                "last": int(point is ends[point["series"]]),
            }
            for point in points
        ]
    )
