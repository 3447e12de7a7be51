"""Percentile bootstrap intervals over cells, and over the seeds of a scorer."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from threadpoolctl import threadpool_limits

from snap_eval.estimate import Estimate, Floats

_PERCENTILES = (2.5, 97.5)
_BATCH = 2**20
"""So many counts are held at a time."""


def replicates(
    estimates: Sequence[Estimate], n: int, *, resamples: int = 1000, seed: int = 0
) -> list[Floats]:
    """Return the statistics of resamples: n cells drawn with replacement, the same for all.

    Args:
        estimates: statistics of the same n cells.
        n: how many.
        resamples: how many times they are drawn.
        seed: of the draws, 0 or more.

    Returns:
        For each estimate, (resamples, q); NaN where a statistic is undefined.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3.
    """
    found = [np.empty((resamples, e.values.size)) for e in estimates]
    widths = np.cumsum([e.columns.shape[1] for e in estimates])[:-1]
    columns = np.concatenate([np.empty((n, 0)), *(e.columns for e in estimates)], axis=1)
    done = 0
    with workers() as pool:
        for counts in draws(n, resamples, seed):
            # Rows of the transpose lie together in memory.
            by_cell = np.ascontiguousarray(counts.T)
            sums = np.split(counts @ columns, widths, axis=1)
            heads = (by_cell[estimate.head].T for estimate in estimates)
            finished = pool.map(lambda e, *drawn: e.finish(*drawn), estimates, sums, heads)
            for values, part in zip(found, finished, strict=True):
                values[done : done + len(counts)] = part
            done += len(counts)
    return found


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Give one thread a core; those of the linear algebra, which wait busily, are held back."""
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield pool


def draws(n: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield (r, n) how often each of n cells is in each resample, some resamples at a time."""
    rng = np.random.default_rng(seed)
    batch = max(_BATCH // max(n, 1), 1)
    for start in range(0, resamples, batch):
        drawn = rng.integers(0, max(n, 1), (min(batch, resamples - start), n))
        counts = np.stack([np.bincount(cells, minlength=n) for cells in drawn])
        yield counts.astype(np.float64)


def over_seeds(values: Sequence[Floats], seed: int) -> Floats:
    """Return (resamples, q) means over the seeds of a scorer, drawn with replacement as well.

    Args:
        values: for each of its seeds, (resamples, q) `replicates`.
        seed: of the draws, 0 or more. Scorers with equally many seeds share the draws.
    """
    stacked = np.stack(values, axis=1)
    rng = np.random.default_rng([seed, len(values)])
    chosen = rng.integers(0, len(values), stacked.shape[:2])
    means: Floats = np.take_along_axis(stacked, chosen[:, :, None], axis=1).mean(axis=1)
    return means


def interval(values: Floats) -> Floats:
    """Return the 2.5th and the 97.5th percentile of the values that are defined, NaN of none."""
    defined = values[~np.isnan(values)]
    return np.percentile(defined, _PERCENTILES) if defined.size else np.full(2, np.nan)
