"""Whole networks, read as layers and put together into the operators of a graph."""

from snap_graphs.networks.layer import Attribute, Kind, Layer

__all__ = ["Attribute", "Kind", "Layer"]
