"""A graph convolutional network that ranks architectures of search spaces it has never seen."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_gcn.predictor import Predictor

__all__ = ["Predictor"]

__getattr__, __dir__ = lazy.exports(__name__, {"Predictor": "snap_gcn.predictor"})
