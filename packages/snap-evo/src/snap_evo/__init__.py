"""Search for neural network cells, with any scorer or by measuring."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_evo.measuring.session import Session
    from snap_evo.measuring.setup import Setup
    from snap_evo.registry import load_scorer
    from snap_evo.scorers import Scorer
    from snap_evo.search_loop import SearchResult, search

__all__ = ["Scorer", "SearchResult", "Session", "Setup", "load_scorer", "search"]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "Scorer": "snap_evo.scorers",
        "SearchResult": "snap_evo.search_loop",
        "Session": "snap_evo.measuring.session",
        "Setup": "snap_evo.measuring.setup",
        "load_scorer": "snap_evo.registry",
        "search": "snap_evo.search_loop",
    },
)
