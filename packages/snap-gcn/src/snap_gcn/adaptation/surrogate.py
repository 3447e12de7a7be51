"""A Gaussian process whose prior mean is the zero-shot score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from snap_graphs.arrays import Ints

from snap_gcn.data.arrays import Floats, evenly_spaced

WEIGHT = 0.8
"""Weight of the standardised score in the prior mean."""
_CONSTANT = 0.05
"""Prior variance of the constant term."""
_JITTER = 1e-6
_STEPS = 60
"""Iterations of the search for the hyperparameters."""
_MOST_SEARCHED = 1000
"""Measurements that the search uses, evenly spaced; its time grows with their cube."""


class _Prior(NamedTuple):
    """A log-normal prior: the median, and the standard deviation of the logarithm."""

    median: float
    deviation: float


_SCORE = _Prior(0.05, 1.0)
"""Variance of the weight of the score."""
_LINEAR = _Prior(0.01, 1.0)
"""Variance of the linear term of a group of features."""
_LENGTH = _Prior(1.5, 0.6)
"""Length scale of a group: root mean square over its standardised features."""
_SMOOTH = _Prior(0.3, 1.5)
"""Variance of the smooth term of all groups."""
_NOISE = _Prior(0.2, 1.0)
"""Variance of the measurements."""


class Points(NamedTuple):
    """The features of n architectures."""

    score: Floats  # (n,) standardised zero-shot scores
    groups: Sequence[Floats]  # for each group (n, k) standardised features

    def take(self, rows: Ints) -> "Points":
        """Return the features of some of the architectures."""
        return Points(self.score[rows], [group[rows] for group in self.groups])


class _Terms(NamedTuple):
    """The terms of the kernel between a and b points that do not depend on the hyperparameters."""

    linear: Sequence[Floats]  # for the score and each group, (a, b) inner products per feature
    squares: Sequence[Floats]  # for each group, (a, b) mean squared distances

    @classmethod
    def between(cls, one: Points, other: Points) -> "_Terms":
        pairs = list(zip(one.groups, other.groups, strict=True))
        linear = [a @ b.T / max(a.shape[1], 1) for a, b in pairs]
        return cls(
            [np.outer(one.score, other.score), *linear], [_mean_squares(a, b) for a, b in pairs]
        )

    def smooth(self, theta: Floats) -> Floats:
        """Return the (a, b) squared exponential term."""
        lengths, variance = np.exp(-2 * theta[len(self.linear) : -2]), np.exp(theta[-2])
        far = sum(length * d for length, d in zip(lengths, self.squares, strict=True))
        found: Floats = variance * np.exp(-0.5 * far)
        return found

    def kernel(self, theta: Floats) -> Floats:
        """Return the (a, b) covariances of the metric, without noise."""
        total = _CONSTANT + self.smooth(theta)
        for variance, product in zip(np.exp(theta), self.linear, strict=False):
            total += variance * product
        return total

    def gradients(self, theta: Floats) -> list[Floats]:
        """Return the derivatives of the kernel by each hyperparameter except the noise."""
        smooth, count = self.smooth(theta), len(self.linear)
        lengths = np.exp(-2 * theta[count:-2])
        linear = [np.exp(t) * product for t, product in zip(theta, self.linear, strict=False)]
        return [
            *linear,
            *(smooth * length * d for length, d in zip(lengths, self.squares, strict=True)),
            smooth,
        ]


def _mean_squares(one: Floats, other: Floats) -> Floats:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    found: Floats = np.maximum(squares, 0) / max(one.shape[1], 1)
    return found


@dataclass(frozen=True)
class Surrogate:
    """A Gaussian process conditioned on measurements.

    The prior mean is 0.8 times the zero-shot score; the covariance is a linear kernel of the score
    and of each group of features, plus a squared exponential one over all groups (Rasmussen and
    Williams 2006, chapters 2 and 5).
    """

    points: Points  # the architectures that were measured
    # logarithms of the hyperparameters: variances of the linear terms of the score and of the
    # groups, length scales of the groups, variance of the smooth term, and of the noise
    theta: Floats
    values: Floats  # (n,) measurements less the prior mean
    inverse: Floats  # (n, n) inverse of the covariance, noise included

    @classmethod
    def fit(cls, points: Points, targets: Floats) -> "Surrogate":
        """Condition on (n,) standardised values of n points; higher is better.

        The hyperparameters maximise the posterior of up to 1,000 of them.
        """
        from scipy.optimize import minimize

        values = targets - WEIGHT * points.score
        some = evenly_spaced(len(values), _MOST_SEARCHED)
        seen = points.take(some)
        terms = _Terms.between(seen, seen)
        median, deviation = _priors(len(points.groups))

        def loss(theta: Floats) -> tuple[float, Floats]:
            return _negative_log_posterior(theta, terms, values[some], median, deviation)

        found = minimize(loss, median, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
        return cls.conditioned(points, found.x, values)

    @classmethod
    def conditioned(cls, points: Points, theta: Floats, values: Floats) -> "Surrogate":
        """Condition on measurements less the prior mean, given the hyperparameters."""
        covariance = _noisy(_Terms.between(points, points).kernel(theta), theta)
        return cls(points, theta, values, np.linalg.inv(covariance).astype(np.float64))

    def predict(self, points: Points) -> tuple[Floats, Floats]:
        """Predict (n,) standardised means and standard deviations of a further measurement."""
        across = _Terms.between(points, self.points).kernel(self.theta)
        mean = WEIGHT * points.score + across @ (self.inverse @ self.values)
        own = _own_variance(points, self.theta) + np.exp(self.theta[-1])
        variance = own - (across @ self.inverse * across).sum(axis=1)
        return mean, np.sqrt(np.maximum(variance, _JITTER))

    def left_out(self, same: Ints) -> tuple[Floats, Floats]:
        """Predict (n,) means and standard deviations of each measurement from the others.

        Measurements of one architecture, with an equal number in (n,) `same`, are left out
        together, so that none predicts another. Hyperparameters are those of all measurements
        (Rasmussen and Williams 2006, eq. 5.12).
        """
        solved = self.inverse @ self.values
        mean, variance = np.empty((2, len(solved)))
        for number in np.unique(same):
            rows = np.flatnonzero(same == number)
            covariance = np.linalg.inv(self.inverse[np.ix_(rows, rows)])
            mean[rows] = self.values[rows] - covariance @ solved[rows]
            variance[rows] = np.diag(covariance)
        return WEIGHT * self.points.score + mean, np.sqrt(variance)


def _priors(groups: int) -> tuple[Floats, Floats]:
    """Return medians and deviations of the logarithms of the hyperparameters."""
    priors = [_SCORE, *[_LINEAR] * groups, *[_LENGTH] * groups, _SMOOTH, _NOISE]
    median, deviation = np.array(priors).T
    return np.log(median), deviation


def _noisy(kernel: Floats, theta: Floats) -> Floats:
    noisy: Floats = kernel + (np.exp(theta[-1]) + _JITTER) * np.eye(len(kernel))
    return noisy


def _own_variance(points: Points, theta: Floats) -> Floats:
    """Return (n,) prior variances, without noise."""
    total: Floats = _CONSTANT + np.exp(theta[0]) * points.score**2 + np.exp(theta[-2])
    for variance, group in zip(np.exp(theta[1:]), points.groups, strict=False):
        total = total + variance * (group**2).sum(axis=1) / max(group.shape[1], 1)
    return total


def _negative_log_posterior(
    theta: Floats, terms: _Terms, values: Floats, median: Floats, deviation: Floats
) -> tuple[float, Floats]:
    """Return the negative logarithm of the posterior density, and its gradient."""
    covariance = _noisy(terms.kernel(theta), theta)
    inverse = np.linalg.inv(covariance)
    solved = inverse @ values
    likelihood = 0.5 * values @ solved + 0.5 * np.linalg.slogdet(covariance)[1]
    inner = 0.5 * (inverse - np.outer(solved, solved))
    slopes = [(inner * gradient).sum() for gradient in terms.gradients(theta)]
    slopes.append(np.exp(theta[-1]) * np.trace(inner))
    away = (theta - median) / deviation
    return float(likelihood + 0.5 * away @ away), np.array(slopes) + away / deviation
