"""Benchmarks and search spaces of neural architecture search as graphs of operators."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_graphs.arrays import Graphs
    from snap_graphs.cell import Cell
    from snap_graphs.interop import from_networkx, to_networkx, to_pyg
    from snap_graphs.spaces import Space, space
    from snap_graphs.table import Metric, graph_table

__all__ = [
    "Cell",
    "Graphs",
    "Metric",
    "Space",
    "from_networkx",
    "graph_table",
    "space",
    "to_networkx",
    "to_pyg",
]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "Cell": "snap_graphs.cell",
        "Graphs": "snap_graphs.arrays",
        "Metric": "snap_graphs.table",
        "Space": "snap_graphs.spaces",
        "from_networkx": "snap_graphs.interop",
        "graph_table": "snap_graphs.table",
        "space": "snap_graphs.spaces",
        "to_networkx": "snap_graphs.interop",
        "to_pyg": "snap_graphs.interop",
    },
)
