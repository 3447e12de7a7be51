"""An ONNX graph as plain values."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

Shape = tuple[int, ...]
Value = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]

MOST_ELEMENTS = 1 << 48
"""Elements that a tensor may have."""
_OF_SHAPES = frozenset({"Shape", "Size"})


@dataclass(frozen=True, slots=True)
class Node:
    """A node of an ONNX graph.

    Attributes:
        op: its operator, with the domain in front unless that is ONNX's own.
        inputs: names of values; empty if an optional one is left out.
        outputs: names of values.
        attributes: by name, those that are numbers, texts or lists of such.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Value]

    @property
    def operands(self) -> tuple[str, ...]:
        """The inputs whose values count, not only their shapes or types."""
        if self.op in _OF_SHAPES:
            return ()
        return self.inputs[:1] if self.op == "CastLike" else self.inputs


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor that the file holds.

    Attributes:
        shape: its dimensions.
        trainable: the elements that training changes.
        values: what a small tensor holds, row by row; None for others.
    """

    shape: Shape
    trainable: int = 0
    values: tuple[int | float, ...] | None = None


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """A model's graph.

    Attributes:
        nodes: in topological order.
        inputs: names of the network's inputs.
        outputs: names of its results.
        constants: by name.
        shapes: by name, of every value whose shape could be inferred, batch dimension included.
        batch: how many inputs the shapes are for.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Constant]
    shapes: Mapping[str, Shape]
    batch: int


def sized(name: str, dims: Iterable[int]) -> int:
    """Return a tensor's number of elements.

    Args:
        name: of the tensor.
        dims: its dimensions.

    Raises:
        SnapError: one is negative, or the tensor is absurdly large.
    """
    sides = tuple(dims)
    size = math.prod(sides)
    if min(sides, default=0) < 0 or size > MOST_ELEMENTS:
        raise SnapError(f"the tensor {excerpt(name)} has the dimensions {excerpt(list(sides))}")
    return size
