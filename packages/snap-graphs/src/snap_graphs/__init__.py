"""Benchmarks and search spaces of neural architecture search as graphs of operators."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_graphs.arrays import Graphs
    from snap_graphs.cell import Cell
    from snap_graphs.spaces import Space, space
    from snap_graphs.table import Metric, graph_table

__all__ = ["Cell", "Graphs", "Metric", "Space", "graph_table", "space"]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "Cell": "snap_graphs.cell",
        "Graphs": "snap_graphs.arrays",
        "Metric": "snap_graphs.table",
        "Space": "snap_graphs.spaces",
        "graph_table": "snap_graphs.table",
        "space": "snap_graphs.spaces",
    },
)
