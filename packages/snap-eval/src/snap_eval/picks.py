"""How good the cells with the highest scores are, from which a search picks."""

from math import isqrt
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from snap_eval.arrays import Floats, Ints, cached
from snap_eval.resampling import Counts, Draw, Resamples


def within_top(measured: Floats, percent: int) -> Ints:
    """Return the cells with the best measurements, including those tied with the last one.

    Args:
        measured: (n,) measurements, higher is better.
        percent: how many of the n cells, rounded up.
    """
    place = -percent * measured.size // 100
    return np.flatnonzero(measured >= np.partition(measured, place)[place])


def precision_at(score: Floats, measured: Floats, k: int) -> float:
    """Compute the share of the k cells with the highest scores that are among the k best cells.

    Which of several tied cells belong to the k, by score and by measurement, is left to chance,
    so that the order of the file decides nothing: the share is the expected one.

    Args:
        score: (n,) scores, higher is better.
        measured: (n,) measurements, higher is better.
        k: how many; the share is NaN for more than n.
    """
    return float(_picks(score, measured, k)[0, 0])


def best_at(score: Floats, measured: Floats, k: int) -> float:
    """Compute the best measurement among the k cells with the highest scores.

    Which of several cells with one score belong to the k is left to chance: the measurement is
    the expected one.

    Args:
        score: (n,) scores, higher is better.
        measured: (n,) measurements, higher is better.
        k: how many; the measurement is NaN for more than n.
    """
    return float(_picks(score, measured, k)[1, 0])


def regret_at(score: Floats, measured: Floats, k: int) -> float:
    """Compute by how much `best_at` falls short of the best measurement of all cells."""
    return float(_picks(score, measured, k)[2, 0])


_ALONE = 64
"""Of tied cells, this many are blocks of their own."""
PICKS = (precision_at, best_at, regret_at)


def draw_picks(which: int, k: int) -> Draw:
    """Return the bootstrap of one of `PICKS`: it is computed for each resample."""

    def draw(value: float, score: Floats, measured: Floats, resamples: Resamples) -> Floats:
        row: Floats = _picks(score, measured, k, resamples)[which]
        return row

    return draw


@cached(16)
def _picks(score: Floats, measured: Floats, k: int, resamples: Resamples | None = None) -> Floats:
    """Compute `PICKS`, (3, r), of r resamples, or of the cells themselves."""
    if k > score.size:
        return np.full((3, 1 if resamples is None else resamples.count), np.nan)
    picked, best = _leaders(score, measured, k), _leaders(measured, score, k)
    if resamples is None:
        counts = _once
    else:
        counts, picked, best = resamples.counts, picked.coarse(k), best.coarse(k)
    cut, best_cut = (_cut(counts(some.cells), some, k) for some in (picked, best))
    shared, at_picked, at_best = np.intersect1d(picked.cells, best.cells, return_indices=True)
    both = cut.chance(picked.group[at_picked]) * best_cut.chance(best.group[at_best])
    precision = np.where(np.isnan(cut.tied), np.nan, (counts(shared) * both).sum(axis=0) / k)
    first = picked.cells[picked.group == 0]
    if resamples is not None and k == 1 and first.size > _ALONE:
        columns = np.stack([measured[first], np.ones(first.size)], axis=1)
        reached = np.divide(*resamples.within(first).sums(columns).T)
    else:
        reached = _expected_best(cut, picked.means(measured), picked.group[picked.starts])
    possible = best.means(measured)[(best_cut.drawn > 0).argmax(axis=0)]
    return np.stack([precision, reached, np.maximum(possible - reached, 0)])


def _once(cells: Ints) -> Counts:
    return np.ones((cells.size, 1), np.int64)


class _Leaders(NamedTuple):
    """The cells among which the k with the highest values are, in nearly every resample.

    Attributes:
        cells: (m,) ordered by value, highest first, tied ones by what the others order.
        group: (m,) tied cells share a number, the highest have 0.
        starts: (b,) where blocks of tied cells start that are treated as one.
        left: further cells of the last group, which matter by their number alone.
    """

    cells: Ints
    group: Ints
    starts: Ints
    left: int = 0

    def coarse(self, k: int) -> "_Leaders":
        """Treat cells as blocks, each 5 % longer than the one before, deep in a long group.

        The first cells of all, and of each group, are blocks of their own. The last group alone is
        long. Of its cells, ordered by the others, the best of k is hardly ever beyond 10 / k.
        """
        size = int((self.group == self.group[-1]).sum())
        reach = -(-10 * size // k)
        left = max(size - max(reach, 2 * k + _ALONE), 0)
        kept = self.cells.size - left
        cells, group = self.cells[:kept], self.group[:kept]
        first, place = 2 * k, np.arange(cells.size)
        within = place - np.searchsorted(group, group)
        block = np.log(np.maximum(within - _ALONE // 2, 1)) / np.log(1.05)
        alone = (place < first) | (within < _ALONE)
        new = np.diff(block.astype(np.int64), prepend=-1) != 0
        return _Leaders(cells, group, np.flatnonzero(alone | new), left)

    def means(self, values: Floats) -> Floats:
        """Return (b,) the mean of the values in each block."""
        sizes = np.diff(self.starts, append=self.cells.size)
        means: Floats = np.add.reduceat(values[self.cells], self.starts) / sizes
        return means


def _leaders(values: Floats, others: Floats, k: int) -> _Leaders:
    reach = min(k + 6 * isqrt(k) + 14, values.size)
    cells = np.flatnonzero(values >= np.partition(values, -reach)[-reach])
    cells = cells[np.lexsort((-others[cells], -values[cells]))]
    group = np.cumsum(np.diff(values[cells], prepend=np.inf) < 0) - 1
    return _Leaders(cells, group, np.arange(cells.size))


class _Cut(NamedTuple):
    """Where the k cells with the highest values end, in r resamples.

    Attributes:
        k: how many.
        drawn: (b, r) draws of the cells up to each block's end.
        full: (r,) number of groups that are all among the k.
        before: (r,) draws of those groups.
        tied: (r,) draws of the next group, of which chance decides; NaN if there is none.
    """

    k: int
    drawn: Floats
    full: Ints
    before: Floats
    tied: Floats

    def chance(self, group: Ints) -> Floats:
        """Return (a, r) how likely a draw of a cell of each of (a,) groups is among the k."""
        group = group[:, None]
        at_the_cut = np.where(group == self.full, (self.k - self.before) / self.tied, 0)
        return np.where(group < self.full, 1, at_the_cut)


def _cut(counts: Counts, leaders: _Leaders, k: int) -> _Cut:
    """Find where the k end, from (m, r) how often each of m cells was drawn."""
    if leaders.starts.size < leaders.cells.size:
        narrow = np.uint16 if leaders.cells.size < 2**14 else np.int64
        counts = np.add.reduceat(counts, leaders.starts, axis=0, dtype=narrow)
    drawn = counts.cumsum(axis=0, dtype=np.float64)
    group = leaders.group[leaders.starts]
    at_ends = np.pad(drawn[np.flatnonzero(np.diff(group, append=-1))], ((1, 1), (0, 0)))
    at_ends[-2] += leaders.left
    at_ends[-1] = np.nan
    full = (at_ends[1:-1] < k).sum(axis=0)
    before, after = (np.take_along_axis(at_ends, full[None] + i, axis=0)[0] for i in (0, 1))
    return _Cut(k, drawn, full, before, after - before)


def _expected_best(cut: _Cut, measured: Floats, group: Ints) -> Floats:
    """Return (r,) the expected highest of (b,) measurements among the k."""
    end = int((group < cut.full.max()).sum())
    there = np.diff(cut.drawn[:end], prepend=0, axis=0) > 0
    among = there & (group[:end, None] < cut.full)
    floor = np.where(among, measured[:end, None], -np.inf).max(axis=0, initial=-np.inf)
    # In some resample, chance decides about the cells of these groups.
    some = np.flatnonzero((group >= cut.full.min()) & (group <= cut.full.max()))
    too_few = np.isnan(cut.tied)
    total, wanted = (np.where(too_few, 1, z) for z in (cut.tied, cut.k - cut.before))
    better = np.clip(cut.drawn[some] - cut.before, 0, total)
    chance = -np.diff(_share_without(better, total, wanted), prepend=1, axis=0)
    best: Floats = (chance * np.maximum(measured[some, None], floor)).sum(axis=0)
    return np.where(too_few, np.nan, best)


def _share_without(marked: Floats, total: Floats, drawn: Floats) -> Floats:
    """Return the chance that none of the cells drawn of a total is marked (hypergeometric)."""
    of, picked = total.astype(np.int64), drawn.astype(np.int64)
    rest = of - marked.astype(np.int64)
    factorial = gammaln(np.arange(int(of.max(initial=0)) + 1) + 1.0)
    ways = factorial[rest] - factorial[np.maximum(rest - picked, 0)]
    share = np.exp(ways + factorial[of - picked] - factorial[of])
    return np.where(rest < picked, 0, share)
