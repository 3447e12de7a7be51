"""Reduce the attributes of layers to the terms in names and descriptions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from snap_graphs.networks.layer import Attribute, Kind, Layer

Whole: TypeAlias = tuple[int, ...]
TermKind: TypeAlias = Kind | Literal["excitation", "inverted residual", "select", "identity"]

BEFORE_OR_AFTER: frozenset[TermKind] = frozenset({"normalisation", "activation"})
"""Kinds that merge into the operator before or after them."""


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
        groups: of a convolution; 1 if it is depthwise.
        depthwise: whether every group is one channel.
        multiplier: output channels by input channel of a depthwise convolution.
        transposed: whether it is a transposed convolution.
        is_global: whether a pooling leaves one value per channel.
        heads: of an attention; 0 if it is unknown.
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
