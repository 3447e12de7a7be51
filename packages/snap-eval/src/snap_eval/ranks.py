"""Rank correlations of two paired samples."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats, Floats], float]
"""A function of two paired samples, both of shape (n,)."""


def spearman(x: Floats, y: Floats) -> float:
    """Return Spearman's rho: Pearson's correlation of the ranks, ties given their average rank.

    Args:
        x: (n,) one value a cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN where `x` or `y` is constant or n < 2.

    Source: Spearman (1904), The proof and measurement of association between two things.
    """
    return float(stats.spearmanr(x, y).statistic) if _vary(x, y) else np.nan


def kendall_tau_b(x: Floats, y: Floats) -> float:
    """Return Kendall's tau-b: (C - D) / sqrt((C + D + X) (C + D + Y)).

    C and D count concordant and discordant pairs, X and Y the pairs tied in `x` or `y` alone.

    Args:
        x: (n,) one value a cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN where `x` or `y` is constant or n < 2.

    Source: Kendall (1945), The treatment of ties in ranking problems.
    """
    return float(stats.kendalltau(x, y).statistic) if _vary(x, y) else np.nan


def _vary(x: Floats, y: Floats) -> bool:
    return x.size > 1 and bool((x != x[0]).any() and (y != y[0]).any())
