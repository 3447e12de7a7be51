"""Honest rank correlations between scores and measured metrics of architectures."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snap_eval.bootstrap import percentile_intervals
    from snap_eval.correlations import correlate
    from snap_eval.ranks import kendall_tau_b, spearman

__all__ = ["correlate", "kendall_tau_b", "percentile_intervals", "spearman"]

# Imported on first use: scipy and DuckDB take longer than `snap-eval --help` may.
_MODULES = {
    "correlate": "snap_eval.correlations",
    "kendall_tau_b": "snap_eval.ranks",
    "percentile_intervals": "snap_eval.bootstrap",
    "spearman": "snap_eval.ranks",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
