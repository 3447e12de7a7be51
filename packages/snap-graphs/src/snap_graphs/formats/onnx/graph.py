"""Hold an ONNX graph as plain values."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

Shape = tuple[int, ...]
Value = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]

MOST_ELEMENTS = 1 << 48
"""Maximum number of elements of a tensor."""
_OF_SHAPES = frozenset({"Shape", "Size"})


@dataclass(frozen=True, slots=True)
class Node:
    """A node of an ONNX graph.

    Attributes:
        op: the operator, preceded by its domain unless that is ONNX's own.
        inputs: names of values; an empty name stands for an omitted optional input.
        outputs: names of values.
        attributes: numbers, texts, and lists of numbers, by name.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Value]

    @property
    def operands(self) -> tuple[str, ...]:
        """Names of the inputs whose values are read, not only their shapes or types."""
        if self.op in _OF_SHAPES:
            return ()
        return self.inputs[:1] if self.op == "CastLike" else self.inputs


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor stored in the file.

    Attributes:
        shape: its dimensions.
        trainable: number of trainable elements.
        values: the values of a small tensor, row by row; None for others.
    """

    shape: Shape
    trainable: int = 0
    values: tuple[int | float, ...] | None = None


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """A model's graph.

    Attributes:
        nodes: the nodes in topological order.
        inputs: names of the network's inputs.
        outputs: names of the network's outputs.
        constants: stored tensors by name.
        shapes: inferred shapes by name of the value, including the batch dimension.
        batch: batch size of these shapes.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Constant]
    shapes: Mapping[str, Shape]
    batch: int


def sized(name: str, dims: Iterable[int]) -> int:
    """Return the number of elements of a tensor.

    Args:
        name: name of the tensor, for errors.
        dims: its dimensions.

    Raises:
        SnapError: a dimension is negative, or the tensor is implausibly large.
    """
    sides = tuple(dims)
    size = math.prod(sides)
    if min(sides, default=0) < 0 or size > MOST_ELEMENTS:
        raise SnapError(f"the tensor {excerpt(name)} has the dimensions {excerpt(list(sides))}")
    return size
