"""The primitive operations of networks, independent of the source format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind = Literal[
    "input",
    "convolution",
    "linear",
    "product",
    "attention",
    "normalisation",
    "activation",
    "pooling",
    "add",
    "multiply",
    "concatenation",
    "softmax",
    "embedding",
    "resize",
    "pass",
    "output",
    "other",
]

Attribute: TypeAlias = str | int | float | bool | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A primitive operation of a network.

    Attributes:
        kind: kind of operation; `pass` rearranges or selects values without computing (view,
            permute, slice, chunk, flatten, dropout, cast, expand, pad).
        inputs: positions of the layers whose outputs it reads, in order, duplicates kept (x * x).
            Constants and parameters are not inputs.
        shape: of its (first) output, without the batch dimension.
        params: trainable elements; shared parameters count at the first layer.
        flops: multiply-adds for one input, of a convolution, linear, product or attention; 0 else.
        activations: output elements of a convolution, linear, product or attention (of both
            products); 0 otherwise.
        attributes: by kind, all optional:
            convolution: `kernel`, `stride`, `dilation` (one value per dimension), `groups`,
                `in_channels`, `out_channels`, `transposed`.
            linear: `in_features`, `out_features`.
            normalisation: `name`, as `batch normalisation`.
            activation: `name`, as papers print it: `ReLU`, `SiLU`, `hard-swish`.
            pooling: `name` (`max` or `average`), `kernel`, `stride`, `is_global`.
            attention: `heads`, `head_channels`.
            other: `name`, the producer's own name of the operator.
    """

    kind: Kind
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    params: int = 0
    flops: int = 0
    activations: int = 0
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
