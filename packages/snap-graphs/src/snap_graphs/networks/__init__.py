"""Assemble the layers of complete networks into graphs of operators."""

from snap_graphs.networks.assembly import Network, assembled
from snap_graphs.networks.layer import Attribute, Kind, Layer
from snap_graphs.networks.naming import common_operators
from snap_graphs.networks.table import network_table

__all__ = [
    "Attribute",
    "Kind",
    "Layer",
    "Network",
    "assembled",
    "common_operators",
    "network_table",
]
