"""Calls of ATen operators: arguments by name, shapes, and costs for one input.

Convolutions, linear layers, matrix products and attention are counted as in fvcore and timm;
recurrent layers are not counted.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor
from torch.fx import Node

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """A node of an exported graph that calls an ATen operator.

    Attributes:
        name: name of the operator without overload and in-place underscore, such as `conv2d`.
        arguments: arguments by their names in the operator's schema, including defaults.
        computed: nodes among the arguments whose values depend on the network's inputs, in order,
            with duplicates.
        output: shape of the (first) output tensor.
    """

    name: str
    arguments: Mapping[str, Any]
    computed: tuple[Node, ...]
    output: Shape

    @property
    def elements(self) -> int:
        """Return the number of output elements."""
        return math.prod(self.output)

    def shape(self, argument: str) -> Shape:
        """Return the shape of a tensor argument."""
        return shape_of(self.arguments[argument])

    def is_computed(self, argument: str) -> bool:
        """Return whether an argument depends on the network's inputs."""
        return self.arguments[argument] in self.computed


def bind(node: Node, is_computed: Callable[[Node], bool]) -> Call:
    """Return the call that a node makes.

    Args:
        node: a node that calls an operator with a schema.
        is_computed: returns whether the value of a node depends on the network's inputs.
    """
    schema = node.target._schema  # type: ignore[union-attr]
    arguments = {
        a.name: a.default_value if a.has_default_value() else None for a in schema.arguments
    }
    arguments.update(zip((a.name for a in schema.arguments), node.args, strict=False))
    arguments.update(node.kwargs)
    computed = tuple(n for n in nodes_in(list(arguments.values())) if is_computed(n))
    return Call(operator_name(schema.name), arguments, computed, shape_of(node))


def operator_name(qualified: str) -> str:
    """Return the bare name of an operator: `relu` for `aten::relu_`."""
    bare = qualified.rpartition("::")[2]
    return bare if bare.startswith("__") else bare.rstrip("_")


def nodes_in(value: object) -> Iterator[Node]:
    """Yield the nodes in an argument in order, at any depth of nesting."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from nodes_in(part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from nodes_in(part)


def shape_of(node: Node) -> Shape:
    """Return the shape of the (first) output tensor of a node; () if there is none."""
    return next((tuple(map(int, t.shape)) for t in _tensors(node.meta.get("val"))), ())


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _tensors(part)


class Counted(NamedTuple):
    """Costs of an operator for one input.

    Attributes:
        flops: multiply-adds.
        activations: output elements.
    """

    flops: int
    activations: int


def count_convolution(call: Call, *, transposed: bool) -> Counted:
    """Count a convolution, which uses every weight once per output position.

    A transposed convolution uses it once per input position.
    """
    weight = call.shape("weight")
    each = math.prod(weight[1:])
    positions = math.prod(call.shape("input")) if transposed else call.elements
    return Counted(positions * each, call.elements)


def count_product(call: Call, contracted: int) -> Counted:
    """Count a matrix product that sums over `contracted` elements."""
    return Counted(call.elements * contracted, call.elements)


def count_attention(query: Shape, key: Shape, value: Shape) -> Counted:
    """Count both products of scaled dot-product attention.

    Args:
        query: shape (..., n, d).
        key: shape (..., m, d).
        value: shape (..., m, v).
    """
    weights, results = math.prod(query[:-1]) * key[-2], math.prod(query[:-1]) * value[-1]
    return Counted(weights * query[-1] + results * key[-2], weights + results)


def contracted_size(equation: str, operands: list[Node]) -> int:
    """Return the number of products that an Einstein summation sums per output element.

    Args:
        equation: the equation, such as `bhid,bhjd->bhij`.
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
    """Return the sizes of the labelled dimensions of a tensor, without those of an ellipsis."""
    before, _, after = term.partition("...")
    sizes = dict(zip(before, shape, strict=False))
    return {**sizes, **dict(zip(reversed(after), reversed(shape), strict=False))}
