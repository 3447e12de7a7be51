"""Correlations of two paired samples: values, ranks, and pairs in order."""

import numpy as np

from snap_eval.arrays import Floats, Ints, cached


def pearson(x: Floats, y: Floats) -> float:
    """Compute Pearson's correlation.

    Args:
        x: (n,) one value per cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN if `x` or `y` is constant or n < 2.
    """
    if not varied(x, y):
        return float("nan")
    u, v = ((z - z.mean()) / z.std() for z in (x, y))
    return float(np.clip((u * v).mean(), -1, 1))


def spearman(x: Floats, y: Floats) -> float:
    """Compute Spearman's rho: Pearson's correlation of the ranks, ties given their average rank.

    Args:
        x: (n,) one value per cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN if `x` or `y` is constant or n < 2.

    Source: Spearman (1904), The proof and measurement of association between two things.
    """
    return pearson(average_ranks(x), average_ranks(y))


def kendall_tau_b(x: Floats, y: Floats) -> float:
    """Compute Kendall's tau-b: (C - D) / sqrt((C + D + X) (C + D + Y)).

    C and D count concordant and discordant pairs, X and Y the pairs tied in `x` or `y` alone.

    Args:
        x: (n,) one value per cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN if `x` or `y` is constant or n < 2.

    Source: Kendall (1945), The treatment of ties in ranking problems.
    """
    if not varied(x, y):
        return float("nan")
    x_untied, y_untied = ((x.size - groups(codes(z))[1]).sum() // 2 for z in (x, y))
    tau = concordance(x, y).sum() // 2 / np.sqrt(x_untied) / np.sqrt(y_untied)
    return float(np.clip(tau, -1, 1))


def weighted_tau(x: Floats, y: Floats) -> float:
    """Compute the weighted tau: tau-b with pairs weighted by 1 / rank of both cells, added.

    Ranks begin with 1 at the highest value. It is the mean of the figure with the ranks of `x`,
    ties ranked by `y`, and of the figure with the ranks of `y`, ties ranked by `x`. That is the
    default of `scipy.stats.weightedtau`, which takes four times as long.

    Args:
        x: (n,) one value per cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN if `x` or `y` is constant or n < 2.

    Source: Vigna (2015), A weighted correlation index for rankings with ties.
    """
    if not varied(x, y):
        return float("nan")
    agreed = concordance(x, y)
    x_untied, y_untied = (x.size - groups(codes(z))[1] for z in (x, y))
    taus = []
    for order in rankings(x, y):
        weight = np.empty(x.size)
        weight[order] = 1 / np.arange(1, x.size + 1)
        root = np.sqrt(weight @ x_untied) * np.sqrt(weight @ y_untied)
        taus.append(weight @ agreed / root)
    return float(np.clip(np.mean(taus), -1, 1))


def varied(x: Floats, y: Floats) -> bool:
    """Return whether there are two values or more, and neither sample is constant."""
    return x.size > 1 and bool((x != x[0]).any() and (y != y[0]).any())


@cached(16)
def codes(values: Floats) -> Ints:
    """Return (n,) the number of each value in ascending order; equal values share one."""
    return _numbered(values)


def _numbered(values: Floats | Ints) -> Ints:
    found: Ints = np.unique(values, return_inverse=True)[1]
    return found


def average_ranks(values: Floats) -> Floats:
    """Return (n,) ranks from 1 on, as `scipy.stats.rankdata`, which takes four times as long."""
    below, same = groups(codes(values))
    return below + (same + 1) / 2


def groups(code: Ints) -> tuple[Ints, Ints]:
    """Return (n,) the cells with lower codes, and (n,) those with the same one, itself included."""
    counts = np.bincount(code)
    return (counts.cumsum() - counts)[code], counts[code]


def rankings(x: Floats, y: Floats) -> list[Ints]:
    """Return the cells in the order of `x`, and of `y`, highest first, ties by the other one."""
    a, b = codes(x), codes(y)
    return [np.argsort(key)[::-1] for key in (a * x.size + b, b * x.size + a)]


@cached(4)
def concordance(x: Floats, y: Floats) -> Ints:
    """Sum sign(x_i - x_j) sign(y_i - y_j) over all cells j, in O(n log^2 n).

    Args:
        x: (n,) one value per cell.
        y: (n,) the other value of the same cells.

    Returns:
        (n,) for each cell, its concordant pairs less its discordant ones.
    """
    n, a, b = x.size, codes(x), codes(y)
    below_x, same_x = groups(a)
    below_y, same_y = groups(b)
    below_xy, same = groups(_numbered(a * n + b))
    below_yx, _ = groups(_numbered(b * n + a))
    # Tied cells are placed so that in one of the two orders either comes before the other.
    place = np.empty_like(a)
    place[np.argsort(a * n - b)] = np.arange(n)
    order = np.argsort(b * n - place)
    both = np.empty_like(a)
    both[order] = _earlier_and_lower(place[order])
    tied = below_xy - below_x + below_yx - below_y
    found: Ints = 4 * both + 2 * (tied - below_x - below_y) + same - same_x - same_y + n
    return found


def _earlier_and_lower(values: Ints) -> Ints:
    """Count for each element of a permutation the earlier ones that are lower: a merge sort."""
    size = 1 << max(values.size - 1, 1).bit_length()
    found = np.zeros(size, np.int64)
    rows = np.concatenate([values, np.arange(values.size, size)])[:, None]
    while len(rows) > 1:
        left, right = rows[::2], rows[1::2]
        offset = np.arange(len(left))[:, None]
        lower = np.searchsorted((left + offset * size).ravel(), (right + offset * size).ravel())
        found[right] += lower.reshape(right.shape) - offset * left.shape[1]
        rows = np.sort(np.concatenate([left, right], axis=1), axis=1)
    return found[values]
