"""The network as it is used: plain torch over dense batches of graphs of one size."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from snap_graphs import Graphs
from snap_graphs.arrays import Ints
from torch import Tensor

from snap_gcn.recipe import Readout

_EPSILON = 1e-5
"""Of torch's batch normalisation."""
_BATCH = 2048
"""Graphs at a time: so many stay in the processor's cache."""


class Member(NamedTuple):
    """One trained network.

    Attributes:
        weights: the state of its `GcnNetwork`.
        readout: what its head reads.
    """

    weights: Mapping[str, Tensor]
    readout: Sequence[Readout]


def score(
    members: Sequence[Member], vectors: npt.NDArray[np.float32], graphs: Graphs, op: Ints
) -> npt.NDArray[np.float64]:
    """Score graphs with trained networks.

    Args:
        members: m networks.
        vectors: (operators, d) embeddings.
        graphs: the graphs.
        op: (nodes,) rows of the operators' vectors.

    Returns:
        (m, graphs) scores, higher is better.
    """
    scores = np.empty((len(members), len(graphs)))
    with torch.inference_mode():
        prepared = [_Prepared.build(member, vectors) for member in members]
        for part in graphs.dense(most=_BATCH):
            nodes = graphs.node_start[part.rows][:, None] + np.arange(part.op.shape[1])
            rows = torch.from_numpy(op[nodes])
            mixing = _normalised(torch.from_numpy(part.adjacency))
            for row, member in enumerate(prepared):
                scores[row, part.rows] = member(mixing, rows).double().numpy()
    return scores


class _Prepared(NamedTuple):
    """A network whose first product was taken for every operator.

    Attributes:
        first: (operators, width) that product.
        shift: (width,) the first layer's shift.
        layers: (in, out) product and (out,) shift of each further layer.
        member: the network.
    """

    first: Tensor
    shift: Tensor
    layers: list[tuple[Tensor, Tensor]]
    member: Member

    @classmethod
    def build(cls, member: Member, vectors: npt.NDArray[np.float32]) -> "_Prepared":
        (product, shift), *layers = _folded(member.weights)
        return cls(torch.from_numpy(vectors) @ product, shift, layers, member)

    def __call__(self, mixing: Tensor, rows: Tensor) -> Tensor:
        """Return (b,) scores of graphs with (b, n, n) `mixing` and (b, n) operator rows."""
        x = torch.relu(mixing @ self.first[rows] + self.shift)
        for product, shift in self.layers:
            x = torch.relu(mixing @ (x @ product) + shift)
        parts = [x.sum(dim=1) if name == "sum" else x[:, -1] for name in self.member.readout]
        weights = self.member.weights
        return torch.cat(parts, dim=1) @ weights["head.weight"][0] + weights["head.bias"]


def _folded(weights: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Fold each batch normalisation into its convolution: (in, out) product and (out,) shift."""
    layers = []
    count = sum(name.endswith("lin.weight") for name in weights)
    for i in range(count):
        norm = f"norms.{i}."
        scale = weights[norm + "weight"] / torch.sqrt(weights[norm + "running_var"] + _EPSILON)
        bias = weights[f"convs.{i}.bias"] - weights[norm + "running_mean"]
        product = weights[f"convs.{i}.lin.weight"].T * scale
        layers.append((product, bias * scale + weights[norm + "bias"]))
    return layers


def _normalised(adjacency: Tensor) -> Tensor:
    """Return (b, n, n) D^-1/2 (A + I) D^-1/2 of symmetric A."""
    both = adjacency | adjacency.transpose(1, 2) | torch.eye(adjacency.shape[1], dtype=torch.bool)
    degree = both.sum(dim=2).float().rsqrt()
    return both * degree[:, :, None] * degree[:, None, :]
