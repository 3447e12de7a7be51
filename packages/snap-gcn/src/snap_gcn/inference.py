"""The network as it is used: plain torch over dense batches of graphs of one size."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from snap_graphs import Graphs
from snap_graphs.arrays import Ints
from torch import Tensor

_EPSILON = 1e-5
"""Of torch's batch normalisation."""


def score(
    weights: Mapping[str, Tensor], vectors: npt.NDArray[np.float32], graphs: Graphs, op: Ints
) -> npt.NDArray[np.float64]:
    """Score graphs with the weights of a trained `GcnNetwork`.

    Args:
        weights: the network's state.
        vectors: (operators, d) embeddings.
        graphs: the graphs.
        op: (nodes,) rows of the operators' vectors.

    Returns:
        (graphs,) scores, higher is better.
    """
    layers = _folded(weights)
    scores = np.empty(len(graphs))
    with torch.inference_mode():
        first = torch.from_numpy(vectors) @ layers[0][0]
        for part in graphs.dense(most=8192):
            size = part.op.shape[1]
            nodes = graphs.node_start[part.rows][:, None] + np.arange(size)
            mixing = _normalised(torch.from_numpy(part.adjacency))
            x = torch.relu(mixing @ first[torch.from_numpy(op[nodes])] + layers[0][1])
            for product, shift in layers[1:]:
                x = torch.relu(mixing @ (x @ product) + shift)
            out = x[:, -1] @ weights["head.weight"][0] + weights["head.bias"]
            scores[part.rows] = out.double().numpy()
    return scores


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
