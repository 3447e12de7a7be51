"""The network as it is used: plain torch over dense batches of graphs of one size.

Graphs too large for that go through the sparse batches of training, which take any size.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from snap_catalog import SnapError
from snap_graphs import Graphs
from snap_graphs.arrays import Dense, Ints
from torch import Tensor

from snap_gcn.batches import Batch, Batcher
from snap_gcn.recipe import Readout

_EPSILON = 1e-5
"""Of torch's batch normalisation."""
_BATCH: Mapping[str, int] = {"cpu": 512, "cuda": 65_536}
"""Graphs at a time: on a processor so many stay in its cache."""
_LARGEST = 128
"""Nodes from which on a dense matrix costs more than the edges alone."""
_NODES = 16_384
"""Nodes at a time of larger graphs, or one graph."""


class Member(NamedTuple):
    """One trained network.

    Attributes:
        weights: the state of its `GcnNetwork`.
        readout: what its head reads.
    """

    weights: Mapping[str, Tensor]
    readout: Sequence[Readout]


def checked_device(name: str) -> torch.device:
    """Return a device by its name, `cpu` or `cuda`.

    Raises:
        SnapError: there is no such device.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise SnapError("--device cuda: torch finds no CUDA device here; use --device cpu")
    return torch.device(name)


class Ensemble:
    """Trained networks, made ready to score graphs of some operators."""

    def __init__(
        self,
        members: Sequence[Member],
        vectors: npt.NDArray[np.float32],
        device: torch.device | str = "cpu",
    ) -> None:
        """Take each network's first product for every operator.

        Args:
            members: m networks.
            vectors: (operators, d) embeddings.
            device: where to compute.
        """
        self._device = torch.device(device)
        with torch.inference_mode():
            self._members = [_Prepared.build(m, vectors, self._device) for m in members]

    def score(
        self, graphs: Graphs, op: Ints, members: Sequence[int] | None = None
    ) -> npt.NDArray[np.float64]:
        """Score graphs.

        Args:
            graphs: the graphs.
            op: (nodes,) rows of the operators' vectors.
            members: which m of the networks to ask; all where None.

        Returns:
            (m, graphs) scores, higher is better.
        """
        asked = self._members if members is None else [self._members[i] for i in members]
        scores = np.empty((len(asked), len(graphs)))
        used, op = np.unique(op, return_inverse=True)
        with torch.inference_mode():
            asked = [member.narrowed(torch.from_numpy(used)) for member in asked]
            for rows, batch in self._batches(graphs, op):
                mixed = batch.mix(batch.one_hot(len(used)))
                for row, member in enumerate(asked):
                    scores[row, rows] = member(batch, mixed).double().cpu().numpy()
        return scores

    def _batches(self, graphs: Graphs, op: Ints) -> Iterator[tuple[Ints, "_Batch"]]:
        for part in graphs.dense(_BATCH[self._device.type], _LARGEST):
            yield part.rows, _DenseBatch.build(part, graphs, op, self._device)
        large = np.flatnonzero(graphs.sizes > _LARGEST)
        if large.size:
            batcher = Batcher.build(graphs, op)
            for rows in np.split(large, _breaks(graphs.sizes[large])):
                yield rows, _SparseBatch(batcher(rows).to(self._device))


def score(
    members: Sequence[Member], vectors: npt.NDArray[np.float32], graphs: Graphs, op: Ints
) -> npt.NDArray[np.float64]:
    """Score graphs with trained networks, as `Ensemble` does on a processor."""
    return Ensemble(members, vectors).score(graphs, op)


def _breaks(sizes: Ints) -> Ints:
    """Return where to part graphs so that no part has many more than `_NODES` nodes."""
    return np.flatnonzero(np.diff(np.cumsum(sizes) // _NODES)) + 1


class _Batch(Protocol):
    """Graphs that are scored together; x is (nodes, channels), the graphs' nodes end to end."""

    def one_hot(self, count: int) -> Tensor:
        """Return (nodes, count) which of `count` operators each node has."""

    def mix(self, x: Tensor) -> Tensor:
        """Return D^-1/2 (A + I) D^-1/2 x."""

    def mix_outputs(self, x: Tensor) -> Tensor:
        """Return that product's rows of the output nodes: (graphs, channels)."""

    def outputs(self, x: Tensor) -> Tensor:
        """Return the rows of the output nodes: (graphs, channels)."""

    def totals(self, values: Tensor) -> Tensor:
        """Sum (nodes,) values over each graph: (graphs,)."""


class _DenseBatch(NamedTuple):
    """Graphs of one size n.

    Attributes:
        op: (graphs, n) the nodes' operators.
        mixing: (graphs, n, n) normalised adjacency matrices.
    """

    op: Tensor
    mixing: Tensor

    @classmethod
    def build(cls, part: Dense, graphs: Graphs, op: Ints, device: torch.device) -> "_DenseBatch":
        nodes = graphs.node_start[part.rows][:, None] + np.arange(part.op.shape[1])
        adjacency = torch.from_numpy(part.adjacency).to(device)
        return cls(torch.from_numpy(op[nodes]).to(device), _normalised(adjacency))

    def one_hot(self, count: int) -> Tensor:
        return torch.eye(count, device=self.op.device)[self.op.flatten()]

    def mix(self, x: Tensor) -> Tensor:
        return torch.bmm(self.mixing, self._by_graph(x)).flatten(0, 1)

    def mix_outputs(self, x: Tensor) -> Tensor:
        return torch.bmm(self.mixing[:, -1:], self._by_graph(x)).squeeze(1)

    def outputs(self, x: Tensor) -> Tensor:
        return self._by_graph(x)[:, -1]

    def totals(self, values: Tensor) -> Tensor:
        return values.view(self.op.shape).sum(dim=1)

    def _by_graph(self, x: Tensor) -> Tensor:
        return x.view(*self.op.shape, -1)


class _SparseBatch:
    """Graphs of any sizes."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        size = (len(batch.op), len(batch.op))
        self._mixing = torch.sparse_coo_tensor(
            batch.edges, batch.weights, size, check_invariants=False
        )

    def one_hot(self, count: int) -> Tensor:
        return torch.eye(count, device=self._batch.op.device)[self._batch.op]

    def mix(self, x: Tensor) -> Tensor:
        return self._mixing @ x

    def mix_outputs(self, x: Tensor) -> Tensor:
        return self.outputs(self.mix(x))

    def outputs(self, x: Tensor) -> Tensor:
        return x[self._batch.outputs]

    def totals(self, values: Tensor) -> Tensor:
        return values.new_zeros(len(self._batch.outputs)).index_add(0, self._batch.graph, values)


class _Prepared(NamedTuple):
    """A network without its batch normalisations, which are folded into its convolutions.

    Attributes:
        layers: (in, out) product and (out,) shift of each layer; the first one's product, of all
            operators' vectors, is (operators, out).
        heads: (out,) weights by what is read.
        bias: (1,) the head's.
    """

    layers: list[tuple[Tensor, Tensor]]
    heads: dict[Readout, Tensor]
    bias: Tensor

    @classmethod
    def build(
        cls, member: Member, vectors: npt.NDArray[np.float32], device: torch.device
    ) -> "_Prepared":
        (product, shift), *layers = folded(member.weights)
        layers.insert(0, (torch.from_numpy(vectors) @ product, shift))
        return cls(
            [(product.to(device), shift.to(device)) for product, shift in layers],
            {name: head.to(device) for name, head in heads(member).items()},
            member.weights["head.bias"].to(device),
        )

    def narrowed(self, operators: Tensor) -> "_Prepared":
        """Return the network for some of the operators only."""
        (product, shift), *layers = self.layers
        first = product[operators.to(product.device)], shift
        return self._replace(layers=[first, *layers])

    def __call__(self, batch: _Batch, mixed: Tensor) -> Tensor:
        """Return (graphs,) scores, given the mixed one-hot operators: (nodes, operators)."""
        *inner, (product, shift) = self.layers
        narrow = bool(inner) and "sum" not in self.heads
        for number, (before, offset) in enumerate(inner, start=1):
            x = torch.addmm(offset, mixed, before).relu_()
            mixed = batch.mix_outputs(x) if narrow and number == len(inner) else batch.mix(x)
        x = torch.addmm(shift, mixed, product).relu_()
        scores = self.bias
        if "output" in self.heads:
            scores = scores + (x if narrow else batch.outputs(x)) @ self.heads["output"]
        if "sum" in self.heads:
            scores = scores + batch.totals(x @ self.heads["sum"])
        return scores


def folded(weights: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
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


def heads(member: Member) -> dict[Readout, Tensor]:
    """Return the head's (width,) weights by what they are read from."""
    parts = member.weights["head.weight"][0].chunk(len(member.readout))
    return dict(zip(member.readout, parts, strict=True))


def _normalised(adjacency: Tensor) -> Tensor:
    """Return (b, n, n) D^-1/2 (A + I) D^-1/2 of symmetric A."""
    loops = torch.eye(adjacency.shape[1], dtype=torch.bool, device=adjacency.device)
    both = adjacency | adjacency.transpose(1, 2) | loops
    degree = both.sum(dim=2).float().rsqrt()
    return both * degree[:, :, None] * degree[:, None, :]
