"""Correlations of two paired samples: values, ranks, and pairs in order."""

import numpy as np
from scipy import stats

from snap_eval import small
from snap_eval.concordance import Orders
from snap_eval.estimate import Estimate, Floats, Ints, linear, undefined

_FEW = 200
"""Up to so many cells the bootstrap is made to the letter."""
_HEAD = 256
"""Of so many first cells the weights of the weighted tau are resampled to the letter."""


def pearson(x: Floats, y: Floats) -> float:
    """Return Pearson's correlation.

    Args:
        x: (n,) one value a cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN where `x` or `y` is constant or n < 2.
    """
    return float(estimate_pearson(x, y).values[0])


def spearman(x: Floats, y: Floats) -> float:
    """Return Spearman's rho: Pearson's correlation of the ranks, ties given their average rank.

    Args:
        x: (n,) one value a cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN where `x` or `y` is constant or n < 2.

    Source: Spearman (1904), The proof and measurement of association between two things.
    """
    return float(estimate_spearman(x, y).values[0])


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
    return float(estimate_kendall(x, y).values[0])


def weighted_tau(x: Floats, y: Floats) -> float:
    """Return the weighted tau: tau-b with pairs weighted by 1 / rank of both cells, added.

    Ranks begin with 1 at the highest value. It is the mean of the figure with the ranks of `x`,
    cells that tie there ranked by `y`, and of that with the ranks of `y`, ties ranked by `x`, as
    `scipy.stats.weightedtau` has it unless told otherwise.

    Args:
        x: (n,) one value a cell, in any unit.
        y: (n,) the other value of the same cells.

    Returns:
        A number in [-1, 1]; NaN where `x` or `y` is constant or n < 2.

    Source: Vigna (2015), A weighted correlation index for rankings with ties.
    """
    return float(estimate_weighted_tau(x, y).values[0])


def estimate_pearson(x: Floats, y: Floats) -> Estimate:
    """Return Pearson's correlation as an `Estimate`."""
    if not _vary(x, y):
        return undefined(x.size)
    u, v = ((z - z.mean()) / z.std() for z in (x, y))
    columns = np.stack([np.ones_like(u), u, v, u * u, v * v, u * v], axis=1)
    value = float(np.clip((u * v).mean(), -1, 1))
    return Estimate(x.size, np.array([value]), columns, np.empty(0, np.int64), _moments)


def _moments(sums: Floats, _: Floats) -> Floats:
    return small.of_moments(sums)


def estimate_spearman(x: Floats, y: Floats) -> Estimate:
    """Return Spearman's rho as an `Estimate`."""
    if not _vary(x, y):
        return undefined(x.size)
    n = x.size
    u, v = (stats.rankdata(z) / n - (n + 1) / (2 * n) for z in (x, y))
    uu, vv, uv = u @ u, v @ v, u @ v
    rho = float(np.clip(uv / np.sqrt(uu * vv), -1, 1))
    if n <= _FEW:
        return small.spearman(x, y, rho)
    product = u * v + _lifted(x, v) + _lifted(y, u)
    squares = (u * u + 2 * _lifted(x, u)) / uu + (v * v + 2 * _lifted(y, v)) / vv
    influence = product / np.sqrt(uu * vv) - rho / 2 * squares
    return _smooth(rho, influence - influence.mean())


def _lifted(x: Floats, z: Floats) -> Floats:
    """Return (n,) what one more of each cell adds to sum(rank(x) z) / n by raising ranks."""
    codes = np.unique(x, return_inverse=True)[1]
    sums = np.bincount(codes, z)
    above = sums.sum() - sums.cumsum()
    lifted: Floats = (above + sums / 2)[codes] / x.size
    return lifted


def estimate_kendall(x: Floats, y: Floats) -> Estimate:
    """Return Kendall's tau-b as an `Estimate`."""
    if not _vary(x, y):
        return undefined(x.size)
    orders, ones = Orders(x, y), np.ones((1, x.size))
    (agreed,), ((x_tied,), (y_tied,)) = orders.concordance(ones), orders.tied(ones)
    x_untied, y_untied = x.size - x_tied, x.size - y_tied
    tau, pull = _ratio(ones[0], agreed, x_untied, y_untied)
    return small.kendall(x, y, tau) if x.size <= _FEW else _smooth(tau, 2 * pull)


def _ratio(
    weight: Floats, agreed: Floats, x_untied: Floats, y_untied: Floats
) -> tuple[float, Floats]:
    """Return sum(weight agreed) / sqrt(sum(weight x_untied) sum(weight y_untied)), and its slope.

    The slope is that by the weight of each cell, (n,).
    """
    x_pairs, y_pairs = weight @ x_untied, weight @ y_untied
    root = np.sqrt(x_pairs) * np.sqrt(y_pairs)
    tau = float(np.clip(weight @ agreed / root, -1, 1))
    return tau, agreed / root - tau / 2 * (x_untied / x_pairs + y_untied / y_pairs)


def _smooth(value: float, influence: Floats) -> Estimate:
    return linear(value, influence, np.empty(0, np.int64), lambda counts: np.zeros(len(counts)))


def estimate_weighted_tau(x: Floats, y: Floats) -> Estimate:
    """Return the weighted tau as an `Estimate`."""
    if not _vary(x, y):
        return undefined(x.size)
    n = x.size
    descending = [np.lexsort(keys)[::-1] for keys in ((y, x), (x, y))]
    weights = np.ones((3, n))
    for row, order in enumerate(descending):
        weights[row, order] = 1 / np.arange(1, n + 1)
    orders = Orders(x, y)
    agreed, tied = orders.concordance(weights), orders.tied(weights)
    untied = [weights.sum(axis=1, keepdims=True) - sums for sums in tied]
    halves = [
        _half(order, weights[row], *(z[[2, row]] for z in (agreed, *untied)))
        for row, order in enumerate(descending)
    ]
    tau = (halves[0][0] + halves[1][0]) / 2
    if n <= _FEW:
        return small.weighted_tau(x, y, tau, descending)
    influence = (halves[0][1] + halves[1][1]) / 2
    steps = np.stack([half[2] for half in halves]) / 2
    at_rest = small.harmonic(steps.shape[1])[1:]
    head = np.concatenate([order[:_HEAD] for order in descending])

    def nonlinear(counts: Floats) -> Floats:
        ranks = counts.reshape(len(counts), *steps.shape).cumsum(axis=2).astype(np.int64)
        moved = small.harmonic(int(ranks.max(initial=0)))[ranks] - at_rest
        summed: Floats = np.einsum("rij,ij->r", moved, steps)
        return summed

    return linear(tau, influence, head, nonlinear)


def _half(
    order: Ints, weight: Floats, agreed: Floats, x_untied: Floats, y_untied: Floats
) -> tuple[float, Floats, Floats]:
    """Treat one of the two rankings.

    A cell acts by being there, and by moving the ranks of the cells below it. The latter is
    linear in the counts for low ranks only.

    Args:
        order: (n,) the cells from the highest rank on.
        weight: (n,) 1 / rank of each cell.
        agreed: (2, n) `Orders.concordance`, all cells weighted alike, and by `weight`.
        x_untied: (2, n) weight of the cells that are not tied with each, likewise.
        y_untied: (2, n) the same for y.

    Returns:
        The figure, (n,) its slope by the count of each cell, (h,) its slope by the sum of the
        1 / rank down to each of the first cells, which the first slope leaves out.
    """
    tau, by_weight = _ratio(weight, agreed[0], x_untied[0], y_untied[0])
    x_pairs, y_pairs = weight @ x_untied[0], weight @ y_untied[0]
    root = np.sqrt(x_pairs) * np.sqrt(y_pairs)
    influence = agreed[1] / root - tau / 2 * (x_untied[1] / x_pairs + y_untied[1] / y_pairs)
    steps = -np.diff(by_weight[order], append=0)
    lower = steps / (np.arange(order.size) + 1.5)
    lower[:_HEAD] = 0
    influence[order] += lower[::-1].cumsum()[::-1]
    return tau, influence, steps[:_HEAD]


def _vary(x: Floats, y: Floats) -> bool:
    return x.size > 1 and bool((x != x[0]).any() and (y != y[0]).any())
