"""The statistics that scorers are judged by."""

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from snap_eval.estimate import Estimate, Floats, undefined
from snap_eval.picks import PICKS, estimate_picks, within_top
from snap_eval.ranks import (
    estimate_kendall,
    estimate_pearson,
    estimate_spearman,
    estimate_weighted_tau,
)

TOPS = (1, 5, 10, 50)
"""Spearman's rho is told within so many percent of the cells, the best by measurement."""
COUNTS = (1, 10, 100)
"""So many cells with the highest scores are looked at."""

DEFAULT = ("spearman", "kendall_tau_b", "spearman@top10%", "best@10", "regret@10")
"""What the command line reports where no statistic is named."""


class Family(NamedTuple):
    """Statistics that are computed together.

    Attributes:
        names: what they are called in `correlations.parquet`.
        ties: how ties are treated.
        compute: of (n,) scores and (n,) measurements, higher is better in both.
    """

    names: tuple[str, ...]
    ties: str
    compute: Callable[[Floats, Floats], Estimate]

    def estimate(self, score: Floats, measured: Floats) -> Estimate:
        """Compute them, of no cells as well."""
        if not score.size:
            return undefined(0, len(self.names))
        return self.compute(score, measured)


def families(wanted: Collection[str] = ()) -> list[Family]:
    """Return the families that hold a wanted statistic; all where none is named."""
    return [f for f in _families() if not wanted or not {*wanted}.isdisjoint(f.names)]


def names() -> list[str]:
    """Return what the statistics are called."""
    return [name for family in _families() for name in family.names]


def _families() -> Iterator[Family]:
    yield Family(("pearson",), "values", estimate_pearson)
    yield Family(("spearman",), "average ranks", estimate_spearman)
    yield Family(("kendall_tau_b",), "tau-b", estimate_kendall)
    yield Family(("weighted_tau",), "tau-b, ranked by the other", estimate_weighted_tau)
    for percent in TOPS:
        ties = "average ranks; the top holds all tied with its last"
        yield Family((f"spearman@top{percent}%",), ties, _within(percent))
    for k in COUNTS:
        names = tuple(f"{name}@{k}" for name in PICKS)
        yield Family(names, "expectation over a random choice", _among(k))


def _within(percent: int) -> Callable[[Floats, Floats], Estimate]:
    def compute(score: Floats, measured: Floats) -> Estimate:
        cells = within_top(measured, percent)
        return estimate_spearman(score[cells], measured[cells]).placed(cells, score.size)

    return compute


def _among(k: int) -> Callable[[Floats, Floats], Estimate]:
    return lambda score, measured: estimate_picks(score, measured, k)
