"""Honest rank correlations between scores and measured metrics of architectures."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_eval.bootstrap import percentile_intervals
    from snap_eval.correlations import correlate
    from snap_eval.ranks import kendall_tau_b, spearman

__all__ = ["correlate", "kendall_tau_b", "percentile_intervals", "spearman"]

__getattr__ = lazy.exports(
    __name__,
    {
        "correlate": "snap_eval.correlations",
        "kendall_tau_b": "snap_eval.ranks",
        "percentile_intervals": "snap_eval.bootstrap",
        "spearman": "snap_eval.ranks",
    },
)
