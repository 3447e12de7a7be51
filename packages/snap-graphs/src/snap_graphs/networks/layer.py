"""The primitive operations that a network is read as, whatever it was read from."""

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
        kind: what it does; `pass` rearranges or selects values without computing (view, permute,
            slice, chunk, flatten, dropout, cast, expand, pad).
        inputs: positions of the layers whose outputs it reads, in order, duplicates kept (x * x).
            Constants and parameters are no inputs.
        shape: of its (first) output, without the batch dimension.
        params: trainable elements that it alone owns; one that several layers share counts at the
            first of them.
        flops: multiply-adds for one input, of a convolution, linear, product or attention; 0 else.
        activations: elements put out by a convolution, linear, product or attention (by both of
            its products); 0 else.
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
