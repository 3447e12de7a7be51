"""Batches of graphs for a network: small graphs as dense matrices, large ones as edge lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from snap_graphs import Graphs
from snap_graphs.arrays import Bools, Ints, expand

from snap_gcn.data.arrays import Singles

_LARGEST = 128
"""Nodes up to which a dense matrix is faster than an edge list."""
_AT_ONCE = 512
"""Small graphs per batch, chosen to stay in a processor's cache."""
_NODES = 16_384
"""Nodes per batch of large graphs; a batch may be a single graph."""


class DenseBatch(NamedTuple):
    """b graphs of n nodes each."""

    op: Ints  # (b, n) rows of the operators' vectors
    mixing: Singles  # (b, n, n) entries of D^-1/2 (A + I) D^-1/2 with symmetric A


class EdgeBatch(NamedTuple):
    """Graphs of any size, joined into one."""

    nodes: Ints  # (nodes,) rows of the operators' vectors
    edges: Ints  # (2, edges) sources and targets, in both directions and with self-loops
    weights: Singles  # (edges,) entries of D^-1/2 (A + I) D^-1/2
    graph: Ints  # (nodes,) the graph of each node
    last: Ints  # (graphs,) the output node of each graph


EMPTY_DENSE = DenseBatch(np.empty((0, 1), np.int64), np.empty((0, 1, 1), np.float32))
_NONE = np.empty(0, np.int64)
EMPTY_EDGES = EdgeBatch(_NONE, np.empty((2, 0), np.int64), np.empty(0, np.float32), _NONE, _NONE)


def batches(graphs: Graphs, op: Ints) -> Iterator[tuple[Ints, DenseBatch | EdgeBatch]]:
    """Yield batches of graphs with (nodes,) rows of vectors, each with its graphs' positions.

    Memory grows with the number of edges, not with the square of the number of nodes.
    """
    for part in graphs.dense(_AT_ONCE, _LARGEST):
        nodes = graphs.node_start[part.rows][:, None] + np.arange(part.op.shape[1])
        yield part.rows, DenseBatch(op[nodes], _normalised(part.adjacency))
    large = np.flatnonzero(graphs.sizes > _LARGEST)
    if large.size:
        batcher = Batcher.build(graphs.take(large), op[graphs.nodes_of(large)])
        breaks = np.flatnonzero(np.diff(np.cumsum(graphs.sizes[large]) // _NODES)) + 1
        for rows in np.split(np.arange(len(large)), breaks):
            yield large[rows], batcher(rows)


def _normalised(adjacency: Bools) -> Singles:
    """Return (b, n, n) D^-1/2 (A + I) D^-1/2 of symmetric A."""
    both = adjacency | adjacency.transpose(0, 2, 1) | np.eye(adjacency.shape[1], dtype=np.bool_)
    scale = 1 / np.sqrt(both.sum(axis=2, dtype=np.float32))
    normalised: Singles = both * scale[:, :, None] * scale[:, None, :]
    return normalised


@dataclass(frozen=True)
class Batcher:
    """Graphs in flat arrays, so that any subset can be gathered in a few array operations."""

    op: Ints  # (nodes,) rows of the operators' vectors
    node_start: Ints  # (graphs + 1,) first node of each graph
    # (edges,) sources, counted within the graph; both directions and self-loops
    src: npt.NDArray[np.int16]
    dst: npt.NDArray[np.int16]  # (edges,) targets, likewise
    weight: Singles  # (edges,) entries of D^-1/2 (A + I) D^-1/2
    edge_start: Ints  # (graphs + 1,) first edge of each graph

    @classmethod
    def build(cls, graphs: Graphs, op: Ints) -> "Batcher":
        """Normalise the adjacency of graphs with (nodes,) rows of the operators' vectors."""
        row, src, dst = graphs.edges()
        nodes = np.arange(len(op))
        src, dst = np.concatenate([src, dst, nodes]), np.concatenate([dst, src, nodes])
        owner = np.concatenate([row, row, np.repeat(np.arange(len(graphs)), graphs.sizes)])
        scale = 1 / np.sqrt(np.bincount(dst, minlength=len(op)))
        order = np.argsort(owner, kind="stable")
        src, dst, owner = src[order], dst[order], owner[order]
        first = graphs.node_start[owner]
        return cls(
            op=op,
            node_start=graphs.node_start,
            src=(src - first).astype(np.int16),
            dst=(dst - first).astype(np.int16),
            weight=(scale[src] * scale[dst]).astype(np.float32),
            edge_start=np.searchsorted(owner, np.arange(len(graphs) + 1)),
        )

    def __call__(self, rows: Ints) -> EdgeBatch:
        """Gather the graphs at some positions into one batch."""
        owner, nodes = expand(self.node_start, rows)
        graph, edges = expand(self.edge_start, rows)
        ends = np.cumsum(self.node_start[rows + 1] - self.node_start[rows])
        begin = np.concatenate([[0], ends[:-1]])[graph]
        return EdgeBatch(
            nodes=self.op[nodes],
            edges=np.stack([self.src[edges] + begin, self.dst[edges] + begin]),
            weights=self.weight[edges],
            graph=owner,
            last=ends - 1,
        )
