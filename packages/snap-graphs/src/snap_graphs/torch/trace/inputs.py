"""Read the shapes and types of a network's inputs, without the batch dimension.

An input is a shape, such as `(3, 224, 224)`, or a pair of a shape and a type, such as
`((128,), "int64")`; as text `3x224x224` and `int64:128`. Several inputs are a tuple, or a
dictionary by name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from snap_catalog import SnapError
from snap_catalog.errors import excerpt
from torch import Tensor

_TYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in ("float32", "float16", "bfloat16", "int64", "int32", "bool")
}
_LARGEST_SIZE = 2**31
_TEXT = re.compile(r"(?:(?P<name>[A-Za-z_]\w*)=)?(?:(?P<type>\w+):)?(?P<shape>\d+(?:x\d+)*)")
_FORM = "(3, 224, 224), ((128,), 'int64'), a tuple of such or a dictionary of such by name"


@dataclass(frozen=True)
class Input:
    """An input tensor of a network.

    Attributes:
        shape: shape without the batch dimension.
        type: name of the element type, such as `float32`.
        name: name of the argument; None if it is positional.
    """

    shape: tuple[int, ...]
    type: str = "float32"
    name: str | None = None

    def __post_init__(self) -> None:
        if not all(0 < size < _LARGEST_SIZE for size in self.shape):
            raise SnapError(
                f"input shape {excerpt(self.shape)}: its sizes are not sizes of tensors"
            )
        if self.type not in _TYPES:
            raise SnapError(f"input type {excerpt(self.type)}: choose one of {', '.join(_TYPES)}")

    def tensor(self) -> Tensor:
        """Return an empty tensor for a batch of one, on torch's default device."""
        return torch.empty((1, *self.shape), dtype=_TYPES[self.type])


@dataclass(frozen=True)
class Inputs:
    """All inputs of a network, in order."""

    items: tuple[Input, ...]

    def tensors(self) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """Return the positional and the named arguments for a batch of one."""
        positional = tuple(i.tensor() for i in self.items if i.name is None)
        return positional, {i.name: i.tensor() for i in self.items if i.name is not None}


def parse_input(text: str) -> Input:
    """Parse an input from text: `3x224x224`, `int64:128`, `mask=bool:128`.

    Raises:
        SnapError: the text has another form.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise SnapError(
            f"input {excerpt(text)}: write [NAME=][TYPE:]SHAPE, as 3x224x224 or int64:128"
        )
    shape = tuple(map(int, match["shape"].split("x")))
    return Input(shape, match["type"] or "float32", match["name"])


def read_inputs(value: object) -> Inputs:
    """Read inputs from a Python value in one of the forms of this module.

    Raises:
        SnapError: the value has another form.
    """
    single = _input(value, None)
    found: list[Input | None] = []
    if single is not None:
        found = [single]
    elif isinstance(value, tuple | list):
        found = [_input(each, None) for each in value]
    elif isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        found = [_input(each, name) for name, each in value.items()]
    if not found or None in found:
        raise SnapError(f"input shape {excerpt(value)}: give {_FORM}, without the batch dimension")
    return Inputs(tuple(filter(None, found)))


def _input(value: Any, name: str | None) -> Input | None:
    """Return the input that a shape, or a pair of a shape and a type, describes; else None."""
    if _is_shape(value):
        return Input(tuple(value), name=name)
    if isinstance(value, tuple | list) and len(value) == 2 and _is_shape(value[0]):
        return Input(tuple(value[0]), value[1], name) if isinstance(value[1], str) else None
    return None


def _is_shape(value: object) -> bool:
    if not isinstance(value, tuple | list):
        return False
    return bool(value) and all(type(size) is int for size in value)
