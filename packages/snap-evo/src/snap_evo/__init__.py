"""Evolutionary search for neural network cells with any scorer."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_evo.registry import load_scorer
    from snap_evo.scorers import Scorer
    from snap_evo.search_loop import SearchResult, search

__all__ = ["Scorer", "SearchResult", "load_scorer", "search"]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "Scorer": "snap_evo.scorers",
        "SearchResult": "snap_evo.search_loop",
        "load_scorer": "snap_evo.registry",
        "search": "snap_evo.search_loop",
    },
)
