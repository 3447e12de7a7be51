"""How well scores order measured cells, above all at the top, where search takes its pick."""

from typing import NamedTuple

from snap_eval import kendall_tau_b, spearman
from snap_eval.estimate import Floats
from snap_eval.picks import best_at, within_top

_TOP_PERCENT = 10


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
    top = within_top(measured, _TOP_PERCENT)
    return Ranking(
        spearman(score, measured),
        kendall_tau_b(score, measured),
        spearman(score[top], measured[top]),
        best_at(score, measured, 1),
        best_at(score, measured, 10),
    )
