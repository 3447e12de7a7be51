"""Graphs as a network takes them: small ones as dense matrices, large ones as lists of edges."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from snap_graphs import Graphs
from snap_graphs.arrays import Bools, Ints, expand

Singles = npt.NDArray[np.float32]

_LARGEST = 128
"""Nodes up to which a dense matrix costs less than the edges alone."""
_AT_ONCE = 512
"""Small graphs of a batch: so many stay in a processor's cache."""
_NODES = 16_384
"""Nodes of a batch of large graphs, which may be a single one."""


class DenseBatch(NamedTuple):
    """Graphs of n nodes each.

    Attributes:
        op: (b, n) rows of the operators' vectors.
        mixing: (b, n, n) entries of D^-1/2 (A + I) D^-1/2 with symmetric A.
    """

    op: Ints
    mixing: Singles


class EdgeBatch(NamedTuple):
    """Graphs of any size, joined into one.

    Attributes:
        op: (nodes,) rows of the operators' vectors.
        edges: (2, edges) sources and targets, in both directions and with self-loops.
        weights: (edges,) entries of D^-1/2 (A + I) D^-1/2.
        graph: (nodes,) which graph each node is of.
        outputs: (graphs,) the last node of every graph.
    """

    op: Ints
    edges: Ints
    weights: Singles
    graph: Ints
    outputs: Ints


EMPTY_DENSE = DenseBatch(np.empty((0, 1), np.int64), np.empty((0, 1, 1), np.float32))
EMPTY_EDGES = EdgeBatch(
    np.empty(0, np.int64),
    np.empty((2, 0), np.int64),
    np.empty(0, np.float32),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
)


def batches(graphs: Graphs, op: Ints) -> Iterator[tuple[Ints, DenseBatch | EdgeBatch]]:
    """Yield graphs in batches, each with the graphs' positions.

    Memory grows with the number of edges, not with the square of the number of nodes.

    Args:
        graphs: the graphs.
        op: (nodes,) rows of the operators' vectors.
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
    """Graphs laid out so that any subset of them is gathered in a few array operations.

    Attributes:
        op: (nodes,) rows of the operators' vectors.
        node_start: (graphs + 1,) where each graph's nodes begin.
        src: (edges,) sources, counted within the graph; both directions and self-loops.
        dst: (edges,) targets, likewise.
        weight: (edges,) normalised weights.
        edge_start: (graphs + 1,) where each graph's edges begin.
    """

    op: Ints
    node_start: Ints
    src: npt.NDArray[np.int16]
    dst: npt.NDArray[np.int16]
    weight: Singles
    edge_start: Ints

    @classmethod
    def build(cls, graphs: Graphs, op: Ints) -> "Batcher":
        """Normalise the adjacency of all graphs once.

        Args:
            graphs: the graphs.
            op: (nodes,) rows of the operators' vectors.
        """
        graph_of_edge = np.repeat(np.arange(len(graphs)), np.diff(graphs.edge_start))
        offset = graphs.node_start[graph_of_edge]
        src, dst = graphs.src + offset, graphs.dst + offset
        everyone = np.arange(len(op))
        src, dst = np.concatenate([src, dst, everyone]), np.concatenate([dst, src, everyone])
        degree = np.bincount(dst, minlength=len(op))
        scale = 1 / np.sqrt(degree)
        graph_of_node = np.repeat(np.arange(len(graphs)), graphs.sizes)
        order = np.argsort(graph_of_node[src], kind="stable")
        src, dst = src[order], dst[order]
        owner = graph_of_node[src]
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
        """Gather some graphs."""
        owner, nodes = expand(self.node_start, rows)
        graph, edges = expand(self.edge_start, rows)
        ends = np.cumsum(self.node_start[rows + 1] - self.node_start[rows])
        begin = np.concatenate([[0], ends[:-1]])[graph]
        return EdgeBatch(
            op=self.op[nodes],
            edges=np.stack([self.src[edges] + begin, self.dst[edges] + begin]),
            weights=self.weight[edges],
            graph=owner,
            outputs=ends - 1,
        )
