"""Which rank correlation with accuracy to expect, from how far architectures are from training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

Features = Mapping[str, float]
"""How far a population of architectures is from training:

- `operators`: mean distance of its operators to the nearest ones trained on;
- `size`: mean `snap_gcn.reliability.shape.oversize` of its graphs, beside the training cells as
  they are;
- `disagreement`: mean ensemble standard deviation, in standard deviations of the scores; absent for
  a model of one member.
"""

FEATURES = ("operators", "size", "disagreement")
_ALIKE = 1.5
"""How many times the mean size of a benchmark's graphs a population of its space may have."""


class Measured(TypedDict):
    """How a model ranks a benchmark: rank correlation with a metric of n architectures."""

    benchmark: str
    metric: str
    n: int
    features: Features
    spearman: float


@dataclass(frozen=True)
class Expected:
    """The rank correlation (Spearman) with measured accuracy that is to be expected.

    Attributes:
        low: lower end of the interval.
        high: its upper end.
        middle: the estimate, where several tasks were measured the lowest.
        as_on: the benchmark that is as far from training.
    """

    low: float
    high: float
    middle: float
    as_on: str


@dataclass(frozen=True)
class Calibration:
    """A linear model of the rank correlation, and the interval around it.

    Attributes:
        intercept: the rank correlation where all features are 0.
        slopes: what it loses per unit of each of `terms`; none is negative.
        residuals: what is added to an estimate for the ends of the interval.
        limits: the value of each feature up to which at least two benchmarks were measured.
        benchmarks: the model's own rank correlations.
    """

    intercept: float
    slopes: Mapping[str, float]
    residuals: tuple[float, float]
    limits: Mapping[str, float]
    benchmarks: Sequence[Measured]

    def expect(self, features: Features) -> Expected | None:
        """Return the interval for a space that was not measured; None beyond a limit.

        A population without one of the features is beyond its limit.
        """
        if any(features.get(name, np.inf) > limit for name, limit in self.limits.items()):
            return None
        middle = self._estimate(features)
        as_far = [abs(self._estimate(entry["features"]) - middle) for entry in self.benchmarks]
        return self._interval(middle, middle, self.benchmarks[int(np.argmin(as_far))]["benchmark"])

    def expect_in(self, space: str, features: Features) -> Expected | None:
        """Return the interval for architectures of a measured space; None if they differ from it.

        It is around what was measured there, less what the linear model takes off because these
        architectures are further from training, or closer to each other, than the whole space.
        """
        own = [entry for entry in self.benchmarks if entry["benchmark"] == space]
        if not own or features["size"] > _ALIKE * own[0]["features"]["size"]:
            return None
        whole = own[0]["features"]
        less = min(0.0, self._estimate({**whole, **features}) - self._estimate(whole))
        middles = [max(entry["spearman"] + less, min(entry["spearman"], 0)) for entry in own]
        return self._interval(min(middles), max(middles), space)

    def _estimate(self, features: Features) -> float:
        found = terms(features)
        lost = sum(slope * found[name] for name, slope in self.slopes.items())
        return max(self.intercept - lost, 0.0)

    def _interval(self, least: float, most: float, as_on: str) -> Expected:
        below, above = self.residuals
        low, high = (float(np.clip(end, -1, 1)) for end in (least + below, most + above))
        return Expected(round(low, 4), round(high, 4), round(least, 4), as_on)


def terms(features: Features) -> dict[str, float]:
    """Return what the rank correlation is linear in: the disagreement counts by its logarithm."""
    return {
        name: float(np.log1p(value)) if name == "disagreement" else value
        for name, value in features.items()
    }
