"""One call of an ATen operator, with its arguments by name and the shapes of its tensors."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.fx import Node

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """A node of an exported graph that calls an ATen operator.

    Attributes:
        name: of the operator without overload and the underscore of in-place variants, as `conv2d`.
        arguments: by their names in the operator's schema; defaults are filled in.
        computed: nodes among the arguments whose values depend on the network's inputs, in order,
            duplicates kept.
        output: shape of the (first) tensor put out.
    """

    name: str
    arguments: Mapping[str, Any]
    computed: tuple[Node, ...]
    output: Shape

    @property
    def elements(self) -> int:
        """Return the number of elements put out."""
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
        node: calls an operator that has a schema.
        is_computed: whether a node's value depends on the network's inputs.
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
    """Return the bare name of an operator: `relu` of `aten::relu_`."""
    bare = qualified.rpartition("::")[2]
    return bare if bare.startswith("__") else bare.rstrip("_")


def nodes_in(value: object) -> Iterator[Node]:
    """Yield the nodes in an argument, however nested, in order."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from nodes_in(part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from nodes_in(part)


def shape_of(node: Node) -> Shape:
    """Return the shape of the (first) tensor that a node puts out; () where it puts out none."""
    return next((tuple(map(int, t.shape)) for t in _tensors(node.meta.get("val"))), ())


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _tensors(part)
