"""Multiply-adds and activations of ATen operators for one input, as fvcore and timm count them.

Counted are convolutions, linear layers, matrix products and attention; recurrent layers are not.
"""

import math
from typing import NamedTuple

from torch.fx import Node

from snap_graphs.torch.trace.call import Call, Shape, shape_of


class Counted(NamedTuple):
    """What an operator costs for one input.

    Attributes:
        flops: multiply-adds.
        activations: elements put out.
    """

    flops: int
    activations: int


def convolution(call: Call, *, transposed: bool) -> Counted:
    """Count a convolution: every weight is used once per position of the output.

    A transposed convolution uses it once per position of the input.
    """
    weight = call.shape("weight")
    each = math.prod(weight[1:])
    positions = math.prod(call.shape("input")) if transposed else call.elements
    return Counted(positions * each, call.elements)


def product(call: Call, contracted: int) -> Counted:
    """Count a matrix product whose summed index has a number of values."""
    return Counted(call.elements * contracted, call.elements)


def attention(query: Shape, key: Shape, value: Shape) -> Counted:
    """Count both products of scaled dot-product attention.

    Args:
        query: (..., n, d) its shape.
        key: (..., m, d) its shape.
        value: (..., m, v) its shape.
    """
    weights, results = math.prod(query[:-1]) * key[-2], math.prod(query[:-1]) * value[-1]
    return Counted(weights * query[-1] + results * key[-2], weights + results)


def contracted_size(equation: str, operands: list[Node]) -> int:
    """Return how many products an Einstein summation adds up for one element of its output.

    Args:
        equation: as `bhid,bhjd->bhij`.
        operands: the tensors.
    """
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    sizes: dict[str, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        sizes.update(_labels(term, shape_of(operand)))
    kept = result if arrow else [label for label in sizes if left.count(label) == 1]
    return math.prod(size for label, size in sizes.items() if label not in kept)


def _labels(term: str, shape: Shape) -> dict[str, int]:
    """Return the sizes of the labelled dimensions of a tensor, those of an ellipsis left out."""
    before, _, after = term.partition("...")
    sizes = dict(zip(before, shape, strict=False))
    return {**sizes, **dict(zip(reversed(after), reversed(shape), strict=False))}
