"""How well scores order measured cells, above all at the top, where search takes its pick."""

import math
from typing import NamedTuple

import numpy as np
from snap_eval import kendall_tau_b, spearman
from snap_eval.ranks import Floats

TOP_SHARE = 10
"""One in so many cells is of the true top."""


class Ranking(NamedTuple):
    """What scores are worth on a benchmark.

    Attributes:
        rho: Spearman's rho over all cells.
        tau: Kendall's tau-b over all cells.
        top: Spearman's rho within the true top tenth.
        best_1: expected measurement of the cell with the highest score.
        best_10: expected best measurement among the ten cells with the highest scores.
    """

    rho: float
    tau: float
    top: float
    best_1: float
    best_10: float


def rank(score: Floats, measured: Floats) -> Ranking:
    """Compare scores with measurements of the same cells, both (n,); more is better in both."""
    return Ranking(
        spearman(score, measured),
        kendall_tau_b(score, measured),
        within_top(score, measured),
        best_of_top(score, measured, 1),
        best_of_top(score, measured, 10),
    )


def within_top(score: Floats, measured: Floats) -> float:
    """Return Spearman's rho within the true top tenth, cells tied with its last one included."""
    least = np.sort(measured)[-math.ceil(len(measured) / TOP_SHARE)]
    chosen = measured >= least
    return spearman(score[chosen], measured[chosen])


def best_of_top(score: Floats, measured: Floats, k: int) -> float:
    """Return the expected best measurement among the k cells with the highest scores.

    Which of several cells with one score belong to the k is left to chance, so that the order of
    the file decides nothing.

    Args:
        score: (n,) scores, higher is better.
        measured: (n,) measurements, likewise.
        k: of n or fewer.
    """
    last = np.sort(score)[-k]
    certain = measured[score > last]
    tied = np.sort(measured[score == last])[::-1]
    drawn = k - len(certain)
    best = np.maximum(tied, certain.max(initial=-math.inf))
    ways = math.comb(len(tied), drawn)
    # The j-th best of the tied cells is the best drawn if the others come from those after it.
    chances = [math.comb(len(tied) - 1 - j, drawn - 1) / ways for j in range(len(tied))]
    return float(np.dot(chances, best))
