"""Build the networks around cells as PyTorch modules."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_graphs.torch.build.counting import NetworkCosts, count_costs, try_training
    from snap_graphs.torch.build.network import build_network
    from snap_graphs.torch.build.size import PUBLISHED, Size, architecture_size, network_size

__all__ = [
    "PUBLISHED",
    "NetworkCosts",
    "Size",
    "architecture_size",
    "build_network",
    "count_costs",
    "network_size",
    "try_training",
]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "PUBLISHED": "snap_graphs.torch.build.size",
        "NetworkCosts": "snap_graphs.torch.build.counting",
        "Size": "snap_graphs.torch.build.size",
        "architecture_size": "snap_graphs.torch.build.size",
        "build_network": "snap_graphs.torch.build.network",
        "count_costs": "snap_graphs.torch.build.counting",
        "network_size": "snap_graphs.torch.build.size",
        "try_training": "snap_graphs.torch.build.counting",
    },
)
