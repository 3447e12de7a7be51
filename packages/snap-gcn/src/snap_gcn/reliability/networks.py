"""Which rank correlation with accuracy to expect of whole networks ranked by their size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from snap_gcn.reliability.calibration import Expected

_LEAST = 0.01
"""What a correlation counts as at least: without one, errors have no bound."""


class MeasuredNetworks(TypedDict):
    """How the prior ranks a benchmark: rank correlation with a metric of n networks.

    `deviation` is the standard deviation of their scores.
    """

    benchmark: str
    metric: str
    n: int
    deviation: float
    spearman: float


@dataclass(frozen=True)
class NetworkCalibration:
    """What size leaves unexplained, in units of the score.

    Scores of deviation s that miss the truth by errors of deviation e correlate with it with
    s / sqrt(s^2 + e^2): networks of much the same size are ranked worse than others.

    Attributes:
        errors: the ends of the interval of e that holds four fifths of the populations measured.
        benchmarks: the benchmarks as they are.
    """

    errors: tuple[float, float]
    benchmarks: Sequence[MeasuredNetworks]

    def expect(self, deviation: float) -> Expected:
        """Return the interval for networks whose scores have a deviation."""
        low, high = (correlation(deviation, error) for error in reversed(self.errors))
        nearest = min(self.benchmarks, key=lambda entry: abs(entry["deviation"] - deviation))
        middle = correlation(deviation, float(np.sqrt(np.prod(self.errors))))
        return Expected(low, high, middle, nearest["benchmark"])

    def measured(self, space: str | None) -> list[float]:
        """Return the rank correlations that were measured on a space."""
        return [e["spearman"] for e in self.benchmarks if e["benchmark"] == space]


def correlation(deviation: float, error: float) -> float:
    """Return the correlation of scores with the truth, given both deviations."""
    return round(float(deviation / np.hypot(deviation, error)), 4)


def error(deviation: float, spearman: float) -> float:
    """Return the deviation of the errors of scores, given their correlation with the truth."""
    rho = max(spearman, _LEAST)
    return float(deviation * np.sqrt(1 / rho**2 - 1))
