"""Ranks and rank correlations, without SciPy."""

from typing import Any

import numpy as np
import numpy.typing as npt

from snap_gcn.data.arrays import Floats

_FEWEST = 4
"""Fewest pairs for which a rank correlation has an interval."""
_WIDTH = 1.96
"""Standard deviations on each side of a 95 % interval."""


def ranks(values: npt.NDArray[Any]) -> Floats:
    """Return the (n,) ranks of values, from 1; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    found: Floats = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return found


def spearman(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float | None:
    """Return Spearman's rank correlation of (n,) values; None if either are all equal."""
    a, b = ranks(one), ranks(other)
    if not len(a) or not np.ptp(a) or not np.ptp(b):
        return None
    return float(np.corrcoef(a, b)[0, 1])


def interval(rho: float | None, count: int) -> tuple[float, float] | None:
    """Return a 95 % interval of Spearman's rank correlation (Bonett and Wright 2000).

    None if the correlation is undefined (None), or for a `count` of fewer than four pairs.
    """
    if rho is None or count < _FEWEST:
        return None
    if abs(rho) == 1:
        return rho, rho
    width = _WIDTH * np.sqrt((1 + rho**2 / 2) / (count - 3))
    low, high = np.tanh(np.arctanh(rho) + np.array([-width, width]))
    return float(low), float(high)


def shown(rho: float | None, count: int) -> str:
    """Format a rank correlation, with its interval if there is one."""
    ends = interval(rho, count)
    if rho is None:
        return "undefined"
    return f"{rho:.2f} ({ends[0]:.2f} to {ends[1]:.2f})" if ends else f"{rho:.2f}"
