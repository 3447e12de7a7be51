"""Convert graphs to and from the types of NetworkX and PyTorch Geometric."""

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError, extras
from snap_catalog.metrics import resolve_metric

from snap_graphs.arrays import Graphs
from snap_graphs.cell import INPUT, OUTPUT, Cell

if TYPE_CHECKING:
    import networkx as nx
    from torch_geometric.data import InMemoryDataset


def to_networkx(row: Mapping[str, Any]) -> "nx.DiGraph[int]":
    """Convert one row of a `graphs` table to a NetworkX graph.

    Args:
        row: the columns by name: `table.to_pylist()[0]`, `row(0, named=True)` of a polars
            DataFrame, or `iloc[0]` of a pandas one.

    Returns:
        A directed graph with the nodes 0, 1, ... in the row's order. The node attribute `op` is the
        operator's name. The other columns, such as `arch_id` and the metrics, are graph attributes.

    Raises:
        SnapError: NetworkX is not installed, or the row is no cell.
    """
    extras.require("snap-graphs[networkx]", "networkx")
    import networkx as nx

    columns = dict(row)
    nodes, src, dst = (columns.pop(name) for name in ("nodes", "src", "dst"))
    cell = Cell(tuple(nodes), tuple(zip(map(int, src), map(int, dst), strict=True)))
    graph: nx.DiGraph[int] = nx.DiGraph(**columns)
    graph.add_nodes_from((node, {"op": op}) for node, op in enumerate(cell.nodes))
    graph.add_edges_from(cell.edges)
    return graph


def from_networkx(graph: "nx.DiGraph[Any]", *, op: str = "op") -> Cell:
    """Convert a NetworkX graph to a cell, which `graph_table` puts into a table.

    Nodes already in topological order keep it. Other nodes are sorted, the first `input` before
    and `output` after all nodes that this is possible for.

    Args:
        graph: a directed acyclic graph; its nodes may be any objects.
        op: the node attribute that holds the operator's name. One node is `input` and one is
            `output`.

    Raises:
        SnapError: NetworkX is not installed, the graph is undirected or has a cycle, a node has no
            operator, or the graph does not lead from `input` to `output`.
    """
    extras.require("snap-graphs[networkx]", "networkx")
    import networkx as nx

    if not graph.is_directed():
        raise SnapError("the graph is undirected; make a networkx.DiGraph whose edges point onward")
    ops = dict(graph.nodes(data=op))
    for node, name in ops.items():
        if not isinstance(name, str):
            raise SnapError(f"node {node!r} has no operator name in its attribute {op!r} ({name})")
    first = next((node for node, name in ops.items() if name == INPUT), None)
    place = {node: i for i, node in enumerate(ops)}
    rank = {node: (ops[node] == OUTPUT, node != first, place[node]) for node in ops}
    try:
        order = list(nx.lexicographical_topological_sort(graph, rank.__getitem__))
    except nx.NetworkXUnfeasible as error:
        raise SnapError("the graph has a cycle; remove an edge of it") from error
    index = {node: i for i, node in enumerate(order)}
    edges = sorted({(index[source], index[target]) for source, target in graph.edges()})
    return Cell(tuple(ops[node] for node in order), tuple(edges))


def to_pyg(
    table: pa.Table, metric: str | None = None, *, operators: Sequence[str] | None = None
) -> "InMemoryDataset":
    """Convert a `graphs` table to a data set of PyTorch Geometric.

    Args:
        table: n graphs.
        metric: the metric column that becomes `y`, or a shortening that fits only one.
        operators: the vocabulary that `op` counts in. If None, all operators of the table in
            alphabetical order.

    Returns:
        An `InMemoryDataset` of n `Data`, in the order of the rows. Each has `op`, (nodes,) int64
        indices into the vocabulary, `edge_index`, (2, edges) int64, and with a metric `y`, (1,)
        float32, which is NaN if the metric is missing. The attribute `operators` of the data set is
        the vocabulary.

    Raises:
        SnapError: PyTorch Geometric is not installed, the table is empty, the metric fits no column
            or several, or an operator is missing from the vocabulary.
    """
    extras.require("snap-graphs[pyg]", "torch", "torch_geometric")
    import torch
    from torch_geometric.data import Data, InMemoryDataset

    if table.num_rows == 0:
        raise SnapError("the table has no graphs; PyTorch Geometric needs at least one")
    graphs = Graphs.from_table(table)
    vocabulary = tuple(sorted(graphs.vocabulary) if operators is None else operators)
    op = torch.from_numpy(_indices(graphs.vocabulary, vocabulary)[graphs.op])
    edge_index = torch.from_numpy(np.stack([graphs.src, graphs.dst]))
    y = None
    if metric is not None:
        column = resolve_metric(metric, table.column_names, source="table")
        y = torch.from_numpy(table[column].to_numpy().astype(np.float32))
    starts = zip(
        itertools.pairwise(graphs.node_start.tolist()),
        itertools.pairwise(graphs.edge_start.tolist()),
        strict=True,
    )
    dataset = InMemoryDataset()
    dataset.data, dataset.slices = dataset.collate(
        [
            Data(
                op=op[node:node_end],
                edge_index=edge_index[:, edge:edge_end],
                num_nodes=node_end - node,
                y=None if y is None else y[row : row + 1],
            )
            for row, ((node, node_end), (edge, edge_end)) in enumerate(starts)
        ]
    )
    dataset.operators = vocabulary
    return dataset


def _indices(names: Sequence[str], vocabulary: Sequence[str]) -> np.ndarray:
    """Return (names,) the position of each name in the vocabulary."""
    position = {name: i for i, name in enumerate(vocabulary)}
    missing = [name for name in names if name not in position]
    if missing:
        raise SnapError(f"operators misses {', '.join(missing)}; list every operator of the table")
    return np.array([position[name] for name in names], np.int64)
