"""Benchmarks and search spaces of neural architecture search as graphs of operators."""

from snap_graphs.arrays import Graphs
from snap_graphs.cell import Cell
from snap_graphs.spaces import Space, space, spaces
from snap_graphs.table import Metric, graph_table

__all__ = ["Cell", "Graphs", "Metric", "Space", "graph_table", "space", "spaces"]
