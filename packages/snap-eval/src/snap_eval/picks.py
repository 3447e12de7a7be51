"""What the cells with the highest scores are worth, where search takes its pick."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from snap_eval.estimate import Estimate, Floats, Ints, undefined

PICKS = ("precision", "best", "regret")
"""The statistics of `estimate_picks`, in its order."""


def within_top(measured: Floats, percent: int) -> Ints:
    """Return the cells with the best measurements, those tied with the last one included.

    Args:
        measured: (n,) measurements, higher is better.
        percent: how many of the n cells, rounded up.
    """
    last = np.sort(measured)[-percent * measured.size // 100]
    return np.flatnonzero(measured >= last)


def precision_at(score: Floats, measured: Floats, k: int) -> float:
    """Return the share of the k cells with the highest scores that are of the k best.

    Which of several tied cells belong to the k, by score and by measurement, is left to chance,
    so that the order of the file decides nothing: the share is the expected one.

    Args:
        score: (n,) scores, higher is better.
        measured: (n,) measurements, likewise.
        k: how many; for more than n the share is NaN.
    """
    return float(estimate_picks(score, measured, k).values[0])


def best_at(score: Floats, measured: Floats, k: int) -> float:
    """Return the best measurement among the k cells with the highest scores.

    Which of several cells with one score belong to the k is left to chance: the measurement is
    the expected one.

    Args:
        score: (n,) scores, higher is better.
        measured: (n,) measurements, likewise.
        k: how many; for more than n the measurement is NaN.
    """
    return float(estimate_picks(score, measured, k).values[1])


def regret_at(score: Floats, measured: Floats, k: int) -> float:
    """Return by how much `best_at` falls short of the best measurement of all."""
    return float(estimate_picks(score, measured, k).values[2])


def estimate_picks(score: Floats, measured: Floats, k: int) -> Estimate:
    """Return `precision_at`, `best_at` and `regret_at` as one `Estimate`."""
    if k > score.size:
        return undefined(score.size, len(PICKS))
    picked, best = _Leaders(score, measured, k), _Leaders(measured, score, k)
    _, at_picked, at_best = np.intersect1d(picked.cells, best.cells, return_indices=True)
    picked_value, best_value = measured[picked.cells], measured[best.cells]

    def finish(_: Floats, counts: Floats) -> Floats:
        of_picked, of_best = np.split(counts, [picked.cells.size], axis=1)
        cut, best_cut = picked.cut(of_picked), best.cut(of_best)
        both = cut.chance(at_picked) * best_cut.chance(at_best)
        precision = (of_picked[:, at_picked] * both).sum(axis=1) / k
        reached = cut.expected_best(picked_value)
        possible = best_value[(of_best > 0).argmax(axis=1)]
        regret = np.maximum(possible - reached, 0)
        return np.stack([precision, reached, regret], axis=1)

    head = np.concatenate([picked.cells, best.cells])
    (values,) = finish(np.empty((1, 0)), np.ones((1, head.size)))
    return Estimate(score.size, values, np.empty((score.size, 0)), head, finish)


class _Leaders:
    """The cells among which the k with the highest values are, in nearly every resample.

    Args:
        values: (n,) what the cells are ranked by.
        others: (n,) what tied cells are ordered by, the highest first.
        k: of n or fewer.
    """

    def __init__(self, values: Floats, others: Floats, k: int) -> None:
        reach = min(2 * k + 20, values.size)
        (cells,) = np.nonzero(values >= np.partition(values, -reach)[-reach])
        self.cells: Ints = cells[np.lexsort((-others[cells], -values[cells]))]
        self._group = np.cumsum(np.diff(values[self.cells], prepend=np.inf) < 0) - 1
        self._k = k

    def cut(self, counts: Floats) -> "_Cut":
        """Return where the k end, from (r, m) how often each of the m cells was drawn."""
        drawn = counts.cumsum(axis=1)
        ends = np.flatnonzero(np.diff(self._group, append=-1))
        at_ends = np.pad(drawn[:, ends], ((0, 0), (1, 1)))
        at_ends[:, -1] = np.nan
        full = (at_ends[:, 1:-1] < self._k).sum(axis=1, keepdims=True)
        before, after = (np.take_along_axis(at_ends, full + i, axis=1) for i in (0, 1))
        return _Cut(self._k, self._group, drawn, full, before, after - before)


class _Cut(NamedTuple):
    """Where the k cells with the highest values end, in r resamples.

    Attributes:
        k: how many.
        group: (m,) tied cells have one number, the highest have 0.
        drawn: (r, m) draws of the cells up to each.
        full: (r, 1) so many groups are wholly among the k.
        before: (r, 1) draws of those groups.
        tied: (r, 1) draws of the next group, of which chance decides; NaN where there is none.
    """

    k: int
    group: Ints
    drawn: Floats
    full: Ints
    before: Floats
    tied: Floats

    def chance(self, at: Ints) -> Floats:
        """Return (r, a) how likely a draw of the cells at (a,) places is to be among the k."""
        group = self.group[at]
        at_the_cut = np.where(group == self.full, (self.k - self.before) / self.tied, 0)
        return np.where(group < self.full, 1, at_the_cut)

    def expected_best(self, measured: Floats) -> Floats:
        """Return (r,) the expected highest of (m,) measurements among the k."""
        total, wanted = (np.nan_to_num(z, nan=1) for z in (self.tied, self.k - self.before))
        better = np.clip(self.drawn - self.before, 0, total).astype(np.int64)
        chance = -np.diff(_share_without(better, *_whole(total, wanted)), prepend=1)
        best: Floats = (chance * np.maximum(measured, self._sure(measured))).sum(axis=1)
        return np.where(np.isnan(self.tied[:, 0]), np.nan, best)

    def _sure(self, measured: Floats) -> Floats:
        """Return (r, 1) the highest of the measurements in the groups that are full."""
        reach = int((self.group < self.full.max()).sum())
        there = np.diff(self.drawn[:, :reach], prepend=0) > 0
        among = there & (self.group[:reach] < self.full)
        values = np.where(among, measured[:reach], -np.inf)
        highest: Floats = values.max(axis=1, keepdims=True, initial=-np.inf)
        return highest


def _whole(*counts: Floats) -> tuple[Ints, ...]:
    return tuple(count.astype(np.int64) for count in counts)


def _share_without(marked: Ints, total: Ints, drawn: Ints) -> Floats:
    """Return the chance that of so many drawn of a total none is marked (hypergeometric)."""
    factorial = gammaln(np.arange(int(total.max(initial=0)) + 1) + 1.0)
    rest = total - marked
    ways = factorial[rest] - factorial[np.maximum(rest - drawn, 0)]
    share = np.exp(ways + factorial[total - drawn] - factorial[total])
    return np.where(rest < drawn, 0, share)
