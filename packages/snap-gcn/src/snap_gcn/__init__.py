"""A graph convolutional network that ranks architectures of search spaces it has never seen."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snap_gcn.predictor import Predictor

__all__ = ["Predictor"]


def __getattr__(name: str) -> Any:
    """Import the predictor, and torch with it, only when it is asked for."""
    if name == "Predictor":
        from snap_gcn.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
