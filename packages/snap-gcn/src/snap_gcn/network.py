"""The network as it is trained, in torch-geometric layers."""

import itertools
import warnings
from typing import Any, cast

import torch
from torch import Tensor, nn

from snap_gcn.batches import Batch
from snap_gcn.recipe import Readout, Recipe

with warnings.catch_warnings():
    # torch-geometric compiles some helpers as it is imported, by a way that torch will give up.
    warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)
    from torch_geometric.nn import GCNConv, global_add_pool


class GcnNetwork(nn.Module):
    """Graph convolutions with batch normalisation and ReLU, and a linear head.

    Each layer computes `H' = ReLU(BN(D^-1/2 (A + I) D^-1/2 H W + b))` with a symmetric adjacency
    matrix A (paper, section 3.3 and equation 2); the head reads the sum over the nodes, the output
    node, or both, as the recipe says.
    """

    def __init__(self, recipe: Recipe, dimensions: int) -> None:
        super().__init__()
        sizes = [dimensions] + [recipe.width] * recipe.layers
        self.convs = nn.ModuleList(
            GCNConv(a, b, normalize=False) for a, b in itertools.pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(b) for b in sizes[1:])
        self.readout = recipe.readout
        self.head = nn.Linear(recipe.width * len(recipe.readout), 1)

    def forward(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Score graphs.

        Args:
            vectors: (operators, d) embeddings.
            batch: the graphs, their edges weighted with the normalised adjacency matrix.

        Returns:
            (graphs,) scores.
        """
        # The first product is taken once an operator, not once a node: operators are few.
        first = cast(Any, self.convs[0])
        x = first.lin(vectors)[batch.op]
        x = first.propagate(batch.edges, x=x, edge_weight=batch.weights) + first.bias
        x = torch.relu(self.norms[0](x))
        for conv, norm in zip(self.convs[1:], self.norms[1:], strict=True):
            x = torch.relu(norm(conv(x, batch.edges, batch.weights)))
        parts = torch.cat([self._read(name, x, batch) for name in self.readout], dim=1)
        return cast(Tensor, self.head(parts).squeeze(1))

    def _read(self, name: Readout, x: Tensor, batch: Batch) -> Tensor:
        if name == "output":
            return x[batch.outputs]
        return cast(Tensor, global_add_pool(x, batch.graph))
