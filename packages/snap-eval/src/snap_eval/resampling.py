"""Intervals: closed forms on the scale of Fisher's z, and the percentile bootstrap."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from snap_eval.arrays import Floats, Ints, cached
from snap_eval.correlation import average_ranks, codes, concordance, groups, rankings

Counts = npt.NDArray[np.integer[Any]]

PERCENTILES = (2.5, 97.5)
FEW = 200
"""Up to this many cells, rank correlations of every resample are computed exactly."""
_NORMAL = 1.959963984540054
_KEPT = 10**8
"""Up to this many counts are kept in memory; beyond, those of single cells are drawn alone."""
_BLOCK = 4096
_HEAD = 128
"""The weights of this many highest ranks of the weighted tau are resampled exactly."""
_BINS = 80


def interval(draws: Floats) -> Floats:
    """Return (2,) the 2.5th and 97.5th percentile of the defined values; NaN if there are none."""
    defined = draws[~np.isnan(draws)]
    return np.percentile(defined, PERCENTILES) if defined.size else np.full(2, np.nan)


def over_seeds(draws: Sequence[Floats], seed: int) -> Floats:
    """Return (count,) means over the seeds of a scorer, drawn with replacement as well.

    Args:
        draws: for each of its seeds, (count,) the values of the resamples.
        seed: seed of the draw, 0 or more. Scorers with equally many seeds share the draws.
    """
    if len(draws) == 1:
        return draws[0]
    stacked = np.stack(draws, axis=1)
    rng = np.random.default_rng([seed, len(draws)])
    chosen = rng.integers(0, len(draws), stacked.shape)
    means: Floats = np.take_along_axis(stacked, chosen, axis=1).mean(axis=1)
    return means


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Yield a pool of one thread per core; the threads of the linear algebra are held back."""
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield pool


def fisher(value: float, error: float) -> Floats:
    """Return (2,) the 95 % interval of a correlation whose Fisher z has a standard error."""
    if not abs(value) < 1:
        return np.full(2, value)
    ends: Floats = np.tanh(np.arctanh(value) + np.array([-1, 1]) * _NORMAL * error)
    return ends


def bonett_wright(value: float, n: int) -> float:
    """Compute the standard error of Fisher's z of Spearman's rho of normal variables.

    Source: Bonett and Wright (2000), Sample size requirements for estimating Pearson, Kendall and
    Spearman correlations, Psychometrika 65(1).
    """
    return float(np.sqrt((1 + value**2 / 2) / max(n - 3, 1e-9)))


def spearman_error(value: float, score: Floats, measured: Floats) -> float:
    """Compute the standard error of Fisher's z of Spearman's rho.

    Of few cells it is `bonett_wright`, of many that of the delta method, which holds for any
    distribution.
    """
    if score.size <= FEW:
        return bonett_wright(value, score.size)
    return _delta(value, spearman_influence(value, score, measured))


def kendall_error(value: float, score: Floats, measured: Floats) -> float:
    """Compute the standard error of Fisher's z of Kendall's tau.

    Of few cells it is that of normal variables (Fieller, Hartley and Pearson, 1957, Tests for rank
    correlation coefficients), of many that of the delta method, which holds with ties too.
    """
    if score.size <= FEW:
        return float(np.sqrt(0.437 / max(score.size - 4, 1e-9)))
    return _delta(value, kendall_influence(value, score, measured))


def _delta(value: float, influence: Floats) -> float:
    return float(influence.std() * np.sqrt(influence.size) / max(1 - value**2, 1e-12))


@dataclass(frozen=True, eq=False)
class Resamples:
    """Resamples of n cells, drawn with replacement; equal seeds draw the same.

    Attributes:
        n: cells.
        count: resamples.
        seed: 0 or more.
        exact: whether `sums` uses the counts of all cells, so that several scorers see the same
            resamples, rather than a normal approximation for all but the most extreme cells.
        cells: the cells that count, of all n; all if None.
    """

    n: int
    count: int
    seed: int
    exact: bool = False
    cells: Ints | None = None

    def within(self, cells: Ints) -> "Resamples":
        """Return the same resamples, of which only some cells count."""
        return Resamples(self.n, self.count, self.seed, self.exact, self._of_all(cells))

    def counts(self, cells: Ints) -> Counts:
        """Return (m, count) how often each of m cells is in each resample."""
        chosen = self._of_all(cells)
        if self.n * self.count <= _KEPT:
            return _drawn(self.n, self.count, self.seed)[chosen]
        if self.exact:
            return np.stack([row[cells] for row in self._rows()], axis=1)
        rng = np.random.default_rng([self.seed, chosen.size])
        shares = np.append(np.full(chosen.size, 1 / self.n), 1 - chosen.size / self.n)
        return rng.multinomial(self.n, shares, self.count).T[:-1]

    def sums(self, columns: Floats) -> Floats:
        """Return (count, k) the sums of (m, k) columns over the cells of each resample."""
        if self.exact and self.n * self.count > _KEPT:
            rows = (row.astype(np.float64) @ columns for row in self._rows())
            return np.stack([*rows])
        if self.exact or len(columns) <= _BLOCK // 2:
            blocks = np.split(np.arange(len(columns)), range(_BLOCK, len(columns), _BLOCK))
            parts = (self.counts(block).T.astype(np.float64) @ columns[block] for block in blocks)
            total: Floats = np.sum([*parts], axis=0)
            return total
        turned = np.ascontiguousarray(columns.T)
        distance = np.abs(turned - turned.mean(axis=1, keepdims=True))
        distance /= np.maximum(turned.std(axis=1, keepdims=True), 1e-300)
        head = np.argpartition(distance.max(axis=0), -2 * _HEAD)[-2 * _HEAD :]
        rest = np.delete(turned, head, axis=1)
        drawn = self.counts(head)
        rng = np.random.default_rng([self.seed, self.n])
        left = (self.n - drawn.sum(axis=0, dtype=np.int64))[:, None]
        left = left * rest.shape[1] / (self.n - head.size)
        covariance = np.atleast_2d(np.cov(rest))
        noise = rng.multivariate_normal(np.zeros(len(turned)), covariance, self.count)
        rest_sums = left * rest.mean(axis=1) + np.sqrt(left) * noise
        sums: Floats = drawn.T.astype(np.float64) @ columns[head] + rest_sums
        return sums

    def each(self) -> Iterator[Ints]:
        """Yield the cells of each resample, ascending, those drawn several times repeated."""
        for counts in self._rows():
            yield np.repeat(np.arange(counts.size), counts)

    def _rows(self) -> Iterator[Ints]:
        """Yield (m,) how often each cell that counts is in each resample."""
        kept = self.n * self.count <= _KEPT
        cells = np.arange(self.n) if self.cells is None else self.cells
        for number in range(self.count):
            if kept:
                yield _drawn(self.n, self.count, self.seed)[cells, number].astype(np.int64)
            else:
                drawn = np.random.default_rng([self.seed, number]).integers(0, self.n, self.n)
                yield np.bincount(drawn, minlength=self.n)[cells]

    def _of_all(self, cells: Ints) -> Ints:
        return cells if self.cells is None else self.cells[cells]


@lru_cache(maxsize=2)
def _drawn(n: int, resamples: int, seed: int) -> npt.NDArray[np.uint8]:
    """Return (n, resamples) how often each cell is in each resample."""
    rng = np.random.default_rng(seed)
    rows = (np.bincount(rng.integers(0, max(n, 1), n), minlength=n) for _ in range(resamples))
    return np.ascontiguousarray(np.stack([row.astype(np.uint8) for row in rows]).T)


Draw = Callable[[float, Floats, Floats, Resamples], Floats]
"""Of a value, scores and measurements, computes the value of each resample, (count,)."""


def plain(compute: Callable[[Floats, Floats], float]) -> Draw:
    """Return the bootstrap of any statistic: it is computed of every resample."""

    def draw(value: float, score: Floats, measured: Floats, resamples: Resamples) -> Floats:
        return np.array([compute(score[cells], measured[cells]) for cells in resamples.each()])

    return draw


def draw_pearson(value: float, score: Floats, measured: Floats, resamples: Resamples) -> Floats:
    """Compute Pearson's correlation of each resample from its moments."""
    u, v = ((z - z.mean()) / z.std() for z in (score, measured))
    ones = np.ones_like(u)
    n, u, v, uu, vv, uv = resamples.sums(np.stack([ones, u, v, u * u, v * v, u * v], axis=1)).T
    variances = n * uu - u * u, n * vv - v * v
    product = np.where(np.minimum(*variances) > 1e-12 * n, np.prod(variances, axis=0), np.nan)
    rho: Floats = np.clip((n * uv - u * v) / np.sqrt(product), -1, 1)
    return rho


def draw_spearman(value: float, score: Floats, measured: Floats, resamples: Resamples) -> Floats:
    """Compute Spearman's rho of each resample to first order in the counts of the cells."""
    return _linear(value, spearman_influence(value, score, measured), resamples)


def spearman_influence(value: float, score: Floats, measured: Floats) -> Floats:
    """Compute the derivative of Spearman's rho by the count of each cell, (n,)."""
    (u, uu, lift_u), (v, vv, lift_v) = (_standing(z) for z in (score, measured))
    product = u * v + lift_u(v) + lift_v(u)
    squares = (u * u + 2 * lift_u(u)) / uu + (v * v + 2 * lift_v(v)) / vv
    influence: Floats = product / np.sqrt(uu * vv) - value / 2 * squares
    return influence


def draw_kendall(value: float, score: Floats, measured: Floats, resamples: Resamples) -> Floats:
    """Compute Kendall's tau-b of each resample to first order in the counts of the cells."""
    return _linear(value, kendall_influence(value, score, measured), resamples)


def draw_weighted_tau(
    value: float, score: Floats, measured: Floats, resamples: Resamples
) -> Floats:
    """Compute the weighted tau of each resample.

    A cell acts by its pairs, and by moving the ranks of the cells below it. The latter is linear
    in the counts for low ranks only; the weights of the highest ranks are computed exactly.
    """
    n = score.size
    alike = _pairs(score, measured)
    influence, moved = np.zeros(n), np.zeros(resamples.count)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, 64 * _HEAD))])
    for order in rankings(score, measured):
        weight = np.empty(n)
        weight[order] = 1 / np.arange(1, n + 1)
        totals = alike @ weight
        steps = -np.diff(_slope(value, alike, totals)[order], append=0)
        lower = steps / (np.arange(n) + 1.5)
        lower[:_HEAD] = 0
        influence += _slope(value, _weighted_pairs(score, measured, weight), totals) / 2
        influence[order] += lower[::-1].cumsum()[::-1] / 2
        ranks = resamples.counts(order[:_HEAD]).cumsum(axis=0, dtype=np.int64)
        moved += steps[:_HEAD] @ (harmonic[ranks] - harmonic[1 : _HEAD + 1, None]) / 2
    return _linear(value, influence, resamples, moved)


def kendall_influence(value: float, score: Floats, measured: Floats) -> Floats:
    """Compute the derivative of Kendall's tau-b by the count of each cell, (n,)."""
    pairs = _pairs(score, measured)
    return 2 * _slope(value, pairs, pairs.sum(axis=1))


def _slope(value: float, pairs: Floats, totals: Floats) -> Floats:
    """Return (n,) the derivative of concordance / sqrt(untied in x * untied in y).

    Args:
        value: the ratio.
        pairs: (3, n) by how much each cell raises the three.
        totals: (3,) the three.
    """
    root = np.sqrt(totals[1]) * np.sqrt(totals[2])
    slope: Floats = pairs[0] / root - value / 2 * (pairs[1] / totals[1] + pairs[2] / totals[2])
    return slope


def _standing(values: Floats) -> tuple[Floats, float, Callable[[Floats], Floats]]:
    """Return centred ranks, the sum of their squares, and what one more of each cell adds.

    The last one is by which amount another cell raises sum(rank z) / n, for any (n,) z.
    """
    n, code = values.size, codes(values)
    ranks = average_ranks(values) / n - (n + 1) / (2 * n)

    def lift(z: Floats) -> Floats:
        sums = np.bincount(code, z)
        lifted: Floats = (sums.sum() - sums.cumsum() + sums / 2)[code] / n
        return lifted

    return ranks, float(ranks @ ranks), lift


def _linear(
    value: float, influence: Floats, resamples: Resamples, moved: Floats | float = 0.0
) -> Floats:
    """Return the correlations of resamples: one step on the scale of Fisher's z.

    On that scale the distribution of correlations is nearly normal, and stays within -1 and 1.
    """
    slope = 1 - value**2
    if slope < 1e-12:
        return np.full(resamples.count, value)
    centred = influence - influence.mean()
    step = (resamples.sums(centred[:, None])[:, 0] + moved) / slope
    moved_values: Floats = np.tanh(np.arctanh(value) + step)
    return moved_values


def _pairs(score: Floats, measured: Floats) -> Floats:
    """Return (3, n) how each cell adds to concordance, and to pairs untied in x and in y."""
    untied = (score.size - groups(codes(z))[1] for z in (score, measured))
    return np.stack([concordance(score, measured), *untied]).astype(np.float64)


def _weighted_pairs(score: Floats, measured: Floats, weights: Floats) -> Floats:
    """Return (3, n) the same with the cells of the pairs weighted, close ranks taken as tied."""
    x, y = (_binned(z) for z in (score, measured))
    shape = int(x.max()) + 1, int(y.max()) + 1
    table = np.bincount(x * shape[1] + y, weights, shape[0] * shape[1]).reshape(shape)
    for axis in (0, 1):
        sums = table.cumsum(axis)
        table = 2 * sums - table - sums.take([-1], axis)
    tied = (np.bincount(codes(z), weights)[codes(z)] for z in (score, measured))
    return np.stack([table[x, y], *(weights.sum() - t for t in tied)])


@cached(8)
def _binned(values: Floats) -> Ints:
    """Return (n,) bins of values: the highest ranks, or few values, have a bin each."""
    code = codes(values)
    if code.max() < 2 * _BINS:
        return code
    below, same = groups(code)
    edges = np.concatenate([np.arange(_BINS), np.linspace(_BINS, code.size, _BINS, dtype=int)])
    bins: Ints = np.searchsorted(edges, code.size - below - same, "right")
    found: Ints = bins.max() - bins
    return found
