"""The graph convolutional network in torch, for training and for export to ONNX."""

import itertools
import warnings
from copy import deepcopy
from typing import Any, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, nn

from snap_gcn.data.batches import DenseBatch, EdgeBatch
from snap_gcn.model.recipe import Recipe

with warnings.catch_warnings():
    # Importing torch-geometric compiles helpers with a function that torch deprecates.
    warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)
    from torch_geometric.nn import GCNConv, SimpleConv


class Dense(NamedTuple):
    """Graphs of n nodes each, as tensors of `DenseBatch`; x is (graphs, n, channels)."""

    op: Tensor
    mixing: Tensor

    def mix(self, x: Tensor) -> Tensor:
        """Compute D^-1/2 (A + I) D^-1/2 x."""
        return self.mixing @ x

    def mix_outputs(self, x: Tensor) -> Tensor:
        """Compute the rows of `mix` at the output nodes: (graphs, channels)."""
        return (self.mixing[:, -1:] @ x).squeeze(1)

    def outputs(self, x: Tensor) -> Tensor:
        """Return the rows of the output nodes: (graphs, channels)."""
        return x[:, -1]

    def totals(self, x: Tensor) -> Tensor:
        """Sum over the nodes of each graph: (graphs, channels)."""
        return x.sum(dim=1)


class Edges(NamedTuple):
    """Graphs of any size joined into one, as tensors of `EdgeBatch`; x is (nodes, channels)."""

    op: Tensor
    edges: Tensor
    weights: Tensor
    graph: Tensor
    last: Tensor

    def to(self, device: torch.device) -> "Edges":
        """Move all tensors to a device."""
        return type(self)(*(part.to(device) for part in self))

    def mix(self, x: Tensor) -> Tensor:
        """Compute D^-1/2 (A + I) D^-1/2 x."""
        messages = x.index_select(0, self.edges[0]) * self.weights[:, None]
        return torch.zeros_like(x).index_put((self.edges[1],), messages, accumulate=True)

    def mix_outputs(self, x: Tensor) -> Tensor:
        """Compute the rows of `mix` at the output nodes: (graphs, channels)."""
        return self.outputs(self.mix(x))

    def outputs(self, x: Tensor) -> Tensor:
        """Return the rows of the output nodes: (graphs, channels)."""
        return x.index_select(0, self.last)

    def totals(self, x: Tensor) -> Tensor:
        """Sum over the nodes of each graph: (graphs, channels)."""
        zeros = x.new_zeros(self.last.shape[0], x.shape[1])
        return zeros.index_put((self.graph,), x, accumulate=True)


class TrainingEdges(Edges):
    """The same with torch-geometric's message passing, which has the faster gradient."""

    def mix(self, x: Tensor) -> Tensor:
        """Compute D^-1/2 (A + I) D^-1/2 x."""
        return cast(Tensor, _PROPAGATE(x, self.edges, self.weights))


_PROPAGATE = SimpleConv(aggr="sum")
Layout: TypeAlias = Dense | Edges


def layout(batch: DenseBatch | EdgeBatch) -> Layout:
    """Convert a batch to tensors."""
    tensors = map(torch.from_numpy, batch)
    return Dense(*tensors) if isinstance(batch, DenseBatch) else Edges(*tensors)


class GcnNetwork(nn.Module):
    """Graph convolutions with batch normalisation and ReLU, and a linear head.

    Each layer computes `H' = ReLU(BN(D^-1/2 (A + I) D^-1/2 H W + b))` with a symmetric adjacency
    matrix A (paper, section 3.3 and equation 2). The head reads the sum over the nodes, the output
    node, or both (`Recipe.readout`).
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

    def forward(self, vectors: Tensor, graphs: Layout) -> Tensor:
        """Compute (b,) scores of b graphs, given (operators, d) embeddings."""
        # The first product is computed per operator, not per node: there are few operators.
        first, *rest = (cast(Any, conv) for conv in self.convs)
        x = graphs.mix(nn.functional.embedding(graphs.op, first.lin(vectors))) + first.bias
        x = torch.relu(self.norms[0](x))
        # Batch normalisation needs all nodes in training; inference only those that are read.
        narrow = bool(rest) and not self.training and self.readout == ("output",)
        for conv, norm in zip(rest, list(self.norms)[1:], strict=True):
            if narrow and conv is rest[-1]:
                x = conv.lin(graphs.mix_outputs(x))
            else:
                x = graphs.mix(conv.lin(x))
            x = torch.relu(norm(x + conv.bias))
        reads = {"output": graphs.outputs, "sum": graphs.totals}
        read = [x] if narrow else [reads[name](x) for name in self.readout]
        return cast(Tensor, self.head(torch.cat(read, dim=1)).squeeze(1))

    @torch.no_grad()
    def folded(self) -> "GcnNetwork":
        """Return a copy for inference, with batch normalisations folded into the convolutions."""
        copy = deepcopy(self).eval()
        for number, (conv, norm) in enumerate(zip(copy.convs, self.norms, strict=True)):
            layer, normal = cast(Any, conv), cast(Any, norm)
            scale = normal.weight / torch.sqrt(normal.running_var + normal.eps)
            layer.lin.weight *= scale[:, None]
            layer.bias.copy_((layer.bias - normal.running_mean) * scale + normal.bias)
            copy.norms[number] = nn.Identity()
        return copy
