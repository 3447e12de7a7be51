"""Correlations of resamples of few cells, to the letter: all pairs of cells are looked at."""

import numpy as np

from snap_eval.estimate import Estimate, Finish, Floats, Ints

_ROUNDING = 1e-12
"""A variance of no more than this part of the mean square is taken for none."""


def spearman(x: Floats, y: Floats, rho: float) -> Estimate:
    """Return Spearman's `rho` of n cells as an `Estimate`; O(n) a cell and resample."""
    lower_x, lower_y = ((np.sign(z - z[:, None]) + 1) / 2 for z in (x, y))

    def finish(_: Floats, counts: Floats) -> Floats:
        u, v = counts @ lower_x, counts @ lower_y
        terms = np.stack([np.ones_like(u), u, v, u * u, v * v, u * v])
        return of_moments(np.einsum("rn,krn->rk", counts, terms))

    return _every(x.size, rho, finish)


def kendall(x: Floats, y: Floats, tau: float) -> Estimate:
    """Return Kendall's `tau`-b of n cells as an `Estimate`; O(n) a cell and resample."""
    pairs = _Pairs(x, y)
    return _every(x.size, tau, lambda _, counts: pairs.tau(counts, counts)[:, None])


def weighted_tau(x: Floats, y: Floats, tau: float, descending: list[Ints]) -> Estimate:
    """Return the weighted `tau` of n cells as an `Estimate`; O(n) a cell and resample.

    Args:
        x: (n,) one value a cell.
        y: (n,) the other value of the same cells.
        tau: the statistic.
        descending: the two rankings, (n,) cells from the highest rank on.
    """
    pairs = _Pairs(x, y)

    def finish(_: Floats, counts: Floats) -> Floats:
        taus = [pairs.tau(counts, _weights(counts, order)) for order in descending]
        mean: Floats = np.mean(taus, axis=0)[:, None]
        return mean

    return _every(x.size, tau, finish)


def of_moments(sums: Floats) -> Floats:
    """Return (r, 1) Pearson's correlations from (r, 6) the sums of 1, u, v, uu, vv and uv."""
    n, u, v, uu, vv, uv = sums.T
    u_spread, v_spread = n * uu - u * u, n * vv - v * v
    varied = (u_spread > _ROUNDING * n * uu) & (v_spread > _ROUNDING * n * vv)
    root = np.sqrt(np.where(varied, u_spread * v_spread, np.nan))
    rho: Floats = np.clip((n * uv - u * v) / root, -1, 1)[:, None]
    return rho


def harmonic(n: int) -> Floats:
    """Return (n + 1,) the harmonic numbers from the 0th on."""
    return np.concatenate(([0.0], np.cumsum(1 / np.arange(1, n + 1))))


class _Pairs:
    """All pairs of n cells: whether two orders agree on them, and whether they tie."""

    def __init__(self, x: Floats, y: Floats) -> None:
        by_x, by_y = (np.sign(z - z[:, None]) for z in (x, y))
        self._pairs = by_x * by_y, np.abs(by_x), np.abs(by_y)

    def tau(self, counts: Floats, weights: Floats) -> Floats:
        """Return (r,) taus of r resamples, pairs weighted by the (r, n) weights of both cells."""
        agreed, x_untied, y_untied = (
            np.einsum("rn,rn->r", counts @ pairs, weights) for pairs in self._pairs
        )
        product = x_untied * y_untied
        tau: Floats = agreed / np.sqrt(np.where(product > 0, product, np.nan))
        return tau


def _weights(counts: Floats, order: Ints) -> Floats:
    """Return (r, n) for every cell the sum of 1 / rank over the times that it was drawn."""
    ranks = np.pad(counts[:, order].cumsum(axis=1), ((0, 0), (1, 0))).astype(np.int64)
    weights = np.empty_like(counts)
    weights[:, order] = np.diff(harmonic(int(ranks.max(initial=0)))[ranks])
    return weights


def _every(n: int, value: float, finish: Finish) -> Estimate:
    return Estimate(n, np.array([value]), np.empty((n, 0)), np.arange(n), finish)
