"""Evolutionary search for neural network cells with any scorer."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snap_evo.registry import load_scorer
    from snap_evo.scorers import Scorer
    from snap_evo.search_loop import SearchResult, search

__all__ = ["Scorer", "SearchResult", "load_scorer", "search"]

# Imported on first use: pyarrow takes longer than `snap-evo --help` may.
_MODULES = {
    "Scorer": "snap_evo.scorers",
    "SearchResult": "snap_evo.search_loop",
    "load_scorer": "snap_evo.registry",
    "search": "snap_evo.search_loop",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
