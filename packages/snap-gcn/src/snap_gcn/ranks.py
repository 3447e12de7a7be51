"""Ranks, and how well two orders agree."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ranks(values: npt.NDArray[Any]) -> Floats:
    """Return the (n,) ranks of values from 1 up; equal ones share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    found: Floats = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return found


def spearman(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float | None:
    """Return Spearman's rank correlation of (n,) values; None where those of one are all equal."""
    a, b = ranks(one), ranks(other)
    if not len(a) or not np.ptp(a) or not np.ptp(b):
        return None
    return float(np.corrcoef(a, b)[0, 1])
