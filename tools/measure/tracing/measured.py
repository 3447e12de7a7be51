"""Trace published networks, and compare what is counted with what is published."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from snap_graphs.networks import Layer, Network, assembled
from snap_graphs.torch.trace import Inputs, built, exported, read_inputs, read_layers

from tools.measure.tracing.published import Published

TOLERANCE = 0.02
_PER_ELEMENT = {"batch normalisation": 2, "layer normalisation": 5, "group normalisation": 5}
"""Operations of a normalisation that fvcore, and so timm, adds to the multiply-adds."""
_WITH_ATTENTION = {"attention", "product", "softmax"}


@dataclass(frozen=True)
class Measured:
    """A traced network and its published figures.

    Attributes:
        published: the network.
        network: its graph.
        exact: whether the graph's parameters are those of the module.
        normalising: operations of normalisations as fvcore counts them.
        attends: whether it multiplies computed tensors.
        export: seconds that `torch.export.export` took.
        rest: seconds that the graph took from there.
    """

    published: Published
    network: Network
    exact: bool
    normalising: int
    attends: bool
    export: float
    rest: float

    @property
    def flops_agree(self) -> bool:
        """Whether the multiply-adds are the published ones but for 2 %."""
        return self._agrees(0)

    @property
    def flops_agree_with_normalisations(self) -> bool:
        """Whether they are when normalisations are counted as fvcore does."""
        return self._agrees(self.normalising)

    @property
    def activations_agree(self) -> bool:
        """Whether the activations are the published ones but for 2 %."""
        published = self.published.activations or math.nan
        return abs(self.network.activations - published) <= max(TOLERANCE * published, 5e3)

    def _agrees(self, more: int) -> bool:
        off = abs(sum(self.network.flops) + more - self.published.flops)
        return off <= max(TOLERANCE * self.published.flops, self.published.rounding)


def measure(published: Published) -> Measured:
    """Trace a network.

    Raises:
        Exception: of any kind, where it cannot be traced.
    """
    inputs: Inputs = read_inputs((3, published.image, published.image))
    module = built(published.build)
    begun = time.process_time()
    program = exported(module, inputs)
    between = time.process_time()
    layers = read_layers(program, module)
    network = assembled(layers)
    done = time.process_time()
    return Measured(
        published,
        network,
        sum(network.params) == sum(p.numel() for p in module.parameters()),
        sum(map(_normalising, layers)),
        any(layer.kind in _WITH_ATTENTION for layer in layers),
        between - begun,
        done - between,
    )


def _normalising(layer: Layer) -> int:
    if layer.kind != "normalisation":
        return 0
    return _PER_ELEMENT.get(str(layer.attributes["name"]), 0) * math.prod(layer.shape)


def share(hits: Sequence[bool]) -> str:
    """Return how many of a number hold, as `97.5 % (273 of 280)`."""
    return f"{sum(hits) / max(len(hits), 1):.1%} ({sum(hits)} of {len(hits)})".replace("%", " %")
