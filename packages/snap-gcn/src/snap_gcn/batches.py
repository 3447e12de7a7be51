"""Mini-batches of graphs as one disjoint graph with normalised edge weights."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from snap_graphs import Graphs
from snap_graphs.arrays import Ints, expand
from torch import Tensor


class Batch(NamedTuple):
    """Graphs joined into one.

    Attributes:
        op: (nodes,) rows of the operators' vectors.
        edges: (2, edges) sources and targets, in both directions and with self-loops.
        weights: (edges,) entries of D^-1/2 (A + I) D^-1/2.
        graph: (nodes,) which graph each node is of.
        outputs: (graphs,) the last node of every graph.
    """

    op: Tensor
    edges: Tensor
    weights: Tensor
    graph: Tensor
    outputs: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the same on a device."""
        return Batch(*(part.to(device) for part in self))


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
    weight: npt.NDArray[np.float32]
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

    def __call__(self, rows: Ints) -> Batch:
        """Gather some graphs."""
        owner, nodes = expand(self.node_start, rows)
        graph, edges = expand(self.edge_start, rows)
        ends = np.cumsum(self.node_start[rows + 1] - self.node_start[rows])
        begin = np.concatenate([[0], ends[:-1]])[graph]
        return Batch(
            op=torch.from_numpy(self.op[nodes]),
            edges=torch.from_numpy(np.stack([self.src[edges] + begin, self.dst[edges] + begin])),
            weights=torch.from_numpy(self.weight[edges]),
            graph=torch.from_numpy(owner),
            outputs=torch.from_numpy(ends - 1),
        )
