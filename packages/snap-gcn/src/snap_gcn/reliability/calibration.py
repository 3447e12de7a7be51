"""Predict a ranking's rank correlation with accuracy from its distance to the training data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

Features = Mapping[str, float]
"""Distances of a population of architectures from the training data:

- `operators`: mean distance of its operators to the nearest ones trained on;
- `size`: mean `snap_gcn.reliability.shape.oversize` of its graphs, compared with the training cells
  before any view;
- `disagreement`: mean ensemble standard deviation, in standard deviations of the scores; missing
  for a model of one member.
"""

FEATURES = ("operators", "size", "disagreement")
_ALIKE = 1.5
"""Largest mean size of a population, as a multiple of the mean size of its benchmark's graphs."""
_LEAST = 0.01
"""Lower bound of a correlation, without which errors would be unbounded."""


class _Benchmark(TypedDict):
    """The rank correlation of scores with a metric of n architectures of a benchmark."""

    benchmark: str
    metric: str
    n: int
    spearman: float


class Measured(_Benchmark):
    """The rank correlation of a model on a benchmark."""

    features: Features


class MeasuredNetworks(_Benchmark):
    """The rank correlation of the prior on a benchmark of whole networks."""

    deviation: float  # standard deviation of the scores


@dataclass(frozen=True)
class Expected:
    """The rank correlation (Spearman) with measured accuracy to expect."""

    low: float  # lower end of the interval
    high: float  # its upper end
    middle: float  # the estimate; the lowest of several if several tasks were measured
    as_on: str  # the benchmark at the same distance from training


@dataclass(frozen=True)
class Calibration:
    """A linear model of the rank correlation, with an interval."""

    intercept: float  # the rank correlation if all features are 0
    slopes: Mapping[str, float]  # loss per unit of each of `terms`; none is negative
    residuals: tuple[float, float]  # added to an estimate for the ends of the interval
    limits: Mapping[str, float]  # by feature, the largest value that at least two benchmarks reach
    benchmarks: Sequence[Measured]  # the model's own rank correlations

    def expect(self, features: Features) -> Expected | None:
        """Return the interval for a space that was not measured; None beyond a limit.

        A population for which a feature is missing is beyond its limit.
        """
        if any(features.get(name, np.inf) > limit for name, limit in self.limits.items()):
            return None
        middle = self._estimate(features)
        as_far = [abs(self._estimate(entry["features"]) - middle) for entry in self.benchmarks]
        return self._interval(middle, middle, self.benchmarks[int(np.argmin(as_far))]["benchmark"])

    def expect_in(self, space: str, features: Features) -> Expected | None:
        """Return the interval for architectures of a measured space; None if they are too large.

        The interval is centred on the measured rank correlation, less the linear model's loss if
        these architectures are further from training, or more alike, than the whole space.
        """
        own = [entry for entry in self.benchmarks if entry["benchmark"] == space]
        if not own or features["size"] > _ALIKE * own[0]["features"]["size"]:
            return None
        whole = own[0]["features"]
        less = min(0.0, self._estimate({**whole, **features}) - self._estimate(whole))
        middles = [max(entry["spearman"] + less, min(entry["spearman"], 0)) for entry in own]
        return self._interval(min(middles), max(middles), space)

    def measured(self, space: str | None) -> list[float]:
        """Return the rank correlations that were measured on a space."""
        return [entry["spearman"] for entry in self.benchmarks if entry["benchmark"] == space]

    def _estimate(self, features: Features) -> float:
        found = terms(features)
        lost = sum(slope * found[name] for name, slope in self.slopes.items())
        return max(self.intercept - lost, 0.0)

    def _interval(self, least: float, most: float, as_on: str) -> Expected:
        below, above = self.residuals
        low, high = (float(np.clip(end, -1, 1)) for end in (least + below, most + above))
        return Expected(round(low, 4), round(high, 4), round(least, 4), as_on)


def terms(features: Features) -> dict[str, float]:
    """Return the terms of the linear model: the features, with log(1 + disagreement)."""
    return {
        name: float(np.log1p(value)) if name == "disagreement" else value
        for name, value in features.items()
    }


@dataclass(frozen=True)
class NetworkCalibration:
    """The error of the size prior on whole networks, in units of the score.

    Scores with standard deviation s and errors with standard deviation e have the correlation
    s / sqrt(s^2 + e^2) with the truth: the more alike the networks' sizes, the lower it is.
    """

    # the ends of the interval of e that holds for four fifths of the populations
    errors: tuple[float, float]
    benchmarks: Sequence[MeasuredNetworks]  # the rank correlations on whole benchmarks

    def expect(self, deviation: float) -> Expected:
        """Return the interval for networks, given the standard deviation of their scores."""
        low, high = (correlation(deviation, error) for error in reversed(self.errors))
        nearest = min(self.benchmarks, key=lambda entry: abs(entry["deviation"] - deviation))
        middle = correlation(deviation, float(np.sqrt(np.prod(self.errors))))
        return Expected(low, high, middle, nearest["benchmark"])

    def measured(self, space: str | None) -> list[float]:
        """Return the rank correlations that were measured on a space."""
        return [entry["spearman"] for entry in self.benchmarks if entry["benchmark"] == space]


def correlation(deviation: float, error: float) -> float:
    """Return the correlation of scores with the truth, given both standard deviations."""
    return round(float(deviation / np.hypot(deviation, error)), 4)


def error(deviation: float, spearman: float) -> float:
    """Return the standard deviation of the errors of scores, given their correlation."""
    rho = max(spearman, _LEAST)
    return float(deviation * np.sqrt(1 / rho**2 - 1))
