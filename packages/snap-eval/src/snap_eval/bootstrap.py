"""Percentile bootstrap intervals of statistics of paired samples."""

from collections.abc import Sequence

import numpy as np
from snap_catalog.console import Advance

from snap_eval.ranks import Floats, Statistic

_PERCENTILES = (2.5, 97.5)


def unseen(units: int, note: str = "") -> None:
    """Let a step of progress pass unreported."""


def percentile_intervals(
    statistics: Sequence[Statistic],
    x: Floats,
    y: Floats,
    *,
    resamples: int = 1000,
    seed: int = 0,
    advance: Advance = unseen,
) -> Floats:
    """Return the 95 % interval of every statistic over cells drawn with replacement.

    All statistics see the same draws. A draw where a statistic is undefined (NaN) is left out.

    Args:
        statistics: k functions of two samples.
        x: (n,) one value a cell.
        y: (n,) the other value of the same cells.
        resamples: how many times n cells are drawn.
        seed: of the draws, 0 or more.
        advance: called with 1 after every draw.

    Returns:
        (k, 2) lower and upper ends: the 2.5th and 97.5th percentile, NaN where no draw has a value.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3.
    """
    rng = np.random.default_rng(seed)
    # Draws kept in this order reach the statistics nearly sorted, which halves their time.
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    values = np.empty((len(statistics), resamples))
    for draw in range(resamples):
        cells = np.sort(rng.integers(0, x.size, x.size))
        values[:, draw] = [statistic(x[cells], y[cells]) for statistic in statistics]
        advance(1)
    return np.array([_interval(row) for row in values]).reshape(-1, 2)


def _interval(values: Floats) -> Floats:
    defined = values[~np.isnan(values)]
    return np.percentile(defined, _PERCENTILES) if defined.size else np.full(2, np.nan)
