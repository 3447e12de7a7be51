"""Real networks of the cells that a search finds, as PyTorch modules."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_evo.network.build import build_network
    from snap_evo.network.onnx import write_onnx
    from snap_evo.network.size import PUBLISHED, Size, network_size
    from snap_evo.network.trial import NetworkCosts, count_costs, try_training

__all__ = [
    "PUBLISHED",
    "NetworkCosts",
    "Size",
    "build_network",
    "count_costs",
    "network_size",
    "try_training",
    "write_onnx",
]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "PUBLISHED": "snap_evo.network.size",
        "NetworkCosts": "snap_evo.network.trial",
        "Size": "snap_evo.network.size",
        "build_network": "snap_evo.network.build",
        "count_costs": "snap_evo.network.trial",
        "network_size": "snap_evo.network.size",
        "try_training": "snap_evo.network.trial",
        "write_onnx": "snap_evo.network.onnx",
    },
)
