"""The graph convolutional network, in torch: written once, for training and for export."""

import itertools
import warnings
from copy import deepcopy
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from snap_gcn.data.batches import DenseBatch, EdgeBatch
from snap_gcn.model.recipe import Readout, Recipe

with warnings.catch_warnings():
    # torch-geometric compiles some helpers as it is imported, by a way that torch will give up.
    warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)
    from torch_geometric.nn import GCNConv, SimpleConv


class Layout(Protocol):
    """Graphs in a batch; x holds channels in its last axis, nodes before."""

    @property
    def op(self) -> Tensor:
        """Rows of the operators' vectors, one for each node."""

    def mix(self, x: Tensor) -> Tensor:
        """Return D^-1/2 (A + I) D^-1/2 x."""

    def mix_outputs(self, x: Tensor) -> Tensor:
        """Return that product's rows of the output nodes: (graphs, channels)."""

    def outputs(self, x: Tensor) -> Tensor:
        """Return the rows of the output nodes: (graphs, channels)."""

    def totals(self, x: Tensor) -> Tensor:
        """Sum over the nodes of each graph: (graphs, channels)."""


class Dense(NamedTuple):
    """Graphs of n nodes each: see `DenseBatch`."""

    op: Tensor
    mixing: Tensor

    def mix(self, x: Tensor) -> Tensor:
        """Multiply the normalised adjacency matrices with x."""
        return self.mixing @ x

    def mix_outputs(self, x: Tensor) -> Tensor:
        """Multiply their last rows with x."""
        return (self.mixing[:, -1:] @ x).squeeze(1)

    def outputs(self, x: Tensor) -> Tensor:
        """Return the rows of the last nodes."""
        return x[:, -1]

    def totals(self, x: Tensor) -> Tensor:
        """Sum over the nodes of each graph."""
        return x.sum(dim=1)


class Edges(NamedTuple):
    """Graphs of any size joined into one: see `EdgeBatch`."""

    op: Tensor
    edges: Tensor
    weights: Tensor
    graph: Tensor
    last: Tensor

    def to(self, device: torch.device) -> "Edges":
        """Return the same on a device."""
        return type(self)(*(part.to(device) for part in self))

    def mix(self, x: Tensor) -> Tensor:
        """Sum what the neighbours of each node hold, weighted."""
        messages = x.index_select(0, self.edges[0]) * self.weights[:, None]
        return torch.zeros_like(x).index_put((self.edges[1],), messages, accumulate=True)

    def mix_outputs(self, x: Tensor) -> Tensor:
        """Return these sums for the output nodes."""
        return self.outputs(self.mix(x))

    def outputs(self, x: Tensor) -> Tensor:
        """Return the rows of the output nodes."""
        return x.index_select(0, self.last)

    def totals(self, x: Tensor) -> Tensor:
        """Sum over the nodes of each graph."""
        zeros = x.new_zeros(self.last.shape[0], x.shape[1])
        return zeros.index_put((self.graph,), x, accumulate=True)


class TrainingEdges(Edges):
    """The same with torch-geometric's message passing, whose gradient is the faster one."""

    def mix(self, x: Tensor) -> Tensor:
        """Return D^-1/2 (A + I) D^-1/2 x."""
        return cast(Tensor, _PROPAGATE(x, self.edges, self.weights))


_PROPAGATE = SimpleConv(aggr="sum")


def layout(batch: DenseBatch | EdgeBatch) -> Layout:
    """Return a batch as tensors."""
    tensors = map(torch.from_numpy, batch)
    return Dense(*tensors) if isinstance(batch, DenseBatch) else Edges(*tensors)


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

    def forward(self, vectors: Tensor, graphs: Layout) -> Tensor:
        """Score graphs.

        Args:
            vectors: (operators, d) embeddings.
            graphs: b graphs.

        Returns:
            (b,) scores.
        """
        # The first product is taken once an operator, not once a node: operators are few.
        first, *rest = (cast(Any, conv) for conv in self.convs)
        x = graphs.mix(nn.functional.embedding(graphs.op, first.lin(vectors))) + first.bias
        x = torch.relu(self.norms[0](x))
        # Batch normalisation is trained on all nodes; in use, only those that are read count.
        narrow = bool(rest) and not self.training and self.readout == ("output",)
        for conv, norm in zip(rest, list(self.norms)[1:], strict=True):
            if narrow and conv is rest[-1]:
                x = conv.lin(graphs.mix_outputs(x))
            else:
                x = graphs.mix(conv.lin(x))
            x = torch.relu(norm(x + conv.bias))
        read = [x] if narrow else [self._read(name, x, graphs) for name in self.readout]
        return cast(Tensor, self.head(torch.cat(read, dim=1)).squeeze(1))

    @staticmethod
    def _read(name: Readout, x: Tensor, graphs: Layout) -> Tensor:
        return graphs.outputs(x) if name == "output" else graphs.totals(x)

    @torch.no_grad()
    def folded(self) -> "GcnNetwork":
        """Return a copy for use, its batch normalisations folded into its convolutions."""
        copy = deepcopy(self).eval()
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            layer, normal = cast(Any, copy.convs[number]), cast(Any, norm)
            scale = normal.weight / torch.sqrt(normal.running_var + normal.eps)
            layer.lin.weight *= scale[:, None]
            bias = cast(Any, conv).bias - normal.running_mean
            layer.bias.copy_(bias * scale + normal.bias)
            copy.norms[number] = nn.Identity()
        return copy
