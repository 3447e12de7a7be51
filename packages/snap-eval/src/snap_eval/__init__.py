"""Compare scorers of architectures with measurements, honestly."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_eval.combination import combine, leave_one_out
    from snap_eval.comparison import compare
    from snap_eval.correlation import kendall_tau_b, pearson, spearman, weighted_tau
    from snap_eval.correlations import correlate
    from snap_eval.measured import Measured, Target, as_measured, read_measured, targets
    from snap_eval.scorer_files import read_scorers
    from snap_eval.scorers import Scorer, as_scorer, as_scorers
    from snap_eval.sql import query
    from snap_eval.statistics import Statistic

__all__ = [
    "Measured",
    "Scorer",
    "Statistic",
    "Target",
    "as_measured",
    "as_scorer",
    "as_scorers",
    "combine",
    "compare",
    "correlate",
    "kendall_tau_b",
    "leave_one_out",
    "pearson",
    "query",
    "read_measured",
    "read_scorers",
    "spearman",
    "targets",
    "weighted_tau",
]

_MODULES = {
    "combination": ("combine", "leave_one_out"),
    "comparison": ("compare",),
    "correlations": ("correlate",),
    "measured": ("Measured", "Target", "as_measured", "read_measured", "targets"),
    "correlation": ("kendall_tau_b", "pearson", "spearman", "weighted_tau"),
    "scorer_files": ("read_scorers",),
    "scorers": ("Scorer", "as_scorer", "as_scorers"),
    "sql": ("query",),
    "statistics": ("Statistic",),
}

__getattr__, __dir__ = lazy.exports(
    __name__,
    {name: f"snap_eval.{module}" for module, names in _MODULES.items() for name in names},
)
