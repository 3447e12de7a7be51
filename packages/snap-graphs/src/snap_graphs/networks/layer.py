"""Layers, the primitive operations of networks, and the terms that name them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

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
Whole: TypeAlias = tuple[int, ...]
TermKind: TypeAlias = Kind | Literal["excitation", "inverted residual", "select", "identity"]

BEFORE_OR_AFTER: frozenset[TermKind] = frozenset({"normalisation", "activation"})
"""Kinds that merge into the operator before or after them."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A primitive operation of a network.

    Attributes:
        kind: kind of operation; `pass` rearranges or selects values without computing (view,
            permute, slice, chunk, flatten, dropout, cast, expand, pad).
        inputs: positions of the layers whose outputs it reads, in order, duplicates kept (x * x).
            Constants and parameters are not inputs.
        shape: shape of its (first) output, without the batch dimension.
        params: trainable elements; shared parameters count at the first layer.
        flops: multiply-adds for one input, of a convolution, linear, product or attention; 0 else.
        activations: output elements of a convolution, linear, product or attention (of both
            products); 0 otherwise.
        attributes: optional attributes, by kind:
            convolution: `kernel`, `stride`, `dilation` (one value per dimension), `groups`,
                `in_channels`, `out_channels`, `transposed`.
            linear: `in_features`, `out_features`.
            normalisation: `name`, such as `batch normalisation`.
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


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an operator: a layer, or several layers with a common name.

    Attributes:
        kind: kind of the layer, or `excitation` (squeeze-and-excitation), `inverted residual`,
            `select` (selected values of several inputs), `identity` (a sum with several readers).
        name: name of the normalisation, activation, pooling or other operation.
        kernel: one value per dimension; empty if unknown.
        stride: one value if all dimensions agree; empty if they are 1.
        dilation: like `stride`.
        groups: groups of a convolution; 1 if it is depthwise.
        depthwise: whether every group is one channel.
        multiplier: output channels by input channel of a depthwise convolution.
        transposed: whether it is a transposed convolution.
        is_global: whether a pooling leaves one value per channel.
        heads: heads of an attention; 0 if unknown.
        reduction: input channels by hidden channel of a squeeze-and-excitation; 0 if it has no
            hidden layer.
        expansion: hidden channels by input channel of an inverted residual.
    """

    kind: TermKind
    name: str = ""
    kernel: Whole = ()
    stride: Whole = ()
    dilation: Whole = ()
    groups: int = 1
    depthwise: bool = False
    multiplier: int = 1
    transposed: bool = False
    is_global: bool = False
    heads: int = 0
    reduction: int = 0
    expansion: float = 1


def term(layer: Layer) -> Term:
    """Return the term of a layer."""
    known = layer.attributes
    match layer.kind:
        case "convolution":
            return _convolution(known)
        case "pooling":
            return _pooling(known)
        case "normalisation" | "activation" | "other":
            return Term(layer.kind, str(known.get("name", "")))
        case "attention":
            return Term("attention", heads=_number(known, "heads", 0))
        case "pass":
            return Term("select")
        case "add":
            return Term("identity")
        case _:
            return Term(layer.kind)


def _convolution(known: Mapping[str, Attribute]) -> Term:
    groups, channels = _number(known, "groups", 1), _number(known, "in_channels", 0)
    put_out = _number(known, "out_channels", channels)
    depthwise = groups == channels > 1 and put_out % channels == 0
    kernel = _numbers(known, "kernel")
    return Term(
        "convolution",
        kernel=kernel,
        stride=_unlike_one(_numbers(known, "stride")),
        dilation=_unlike_one(_numbers(known, "dilation")) if math.prod(kernel) != 1 else (),
        groups=1 if depthwise else groups,
        depthwise=depthwise,
        multiplier=put_out // channels if depthwise else 1,
        transposed=bool(known.get("transposed", False)),
    )


def _pooling(known: Mapping[str, Attribute]) -> Term:
    name = str(known.get("name", ""))
    if known.get("is_global", False):
        return Term("pooling", name, is_global=True)
    stride = _unlike_one(_numbers(known, "stride"))
    return Term("pooling", name, kernel=_numbers(known, "kernel"), stride=stride)


def _unlike_one(values: Whole) -> Whole:
    if len(set(values)) > 1:
        return values
    return tuple(set(values) - {1})


def _number(known: Mapping[str, Attribute], key: str, default: int) -> int:
    return int(cast(int, known.get(key, default)))


def _numbers(known: Mapping[str, Attribute], key: str) -> Whole:
    return tuple(int(value) for value in cast(Whole, known.get(key, ())))
