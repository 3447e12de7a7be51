"""Shapes and types of a network's inputs, without the batch dimension.

An input is a shape, as `(3, 224, 224)`, or a pair of a shape and a type, as `((128,), "int64")`;
as text `3x224x224` and `int64:128`. Several are a tuple of such, or a dictionary by name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from snap_catalog import SnapError
from snap_catalog.errors import excerpt
from torch import Tensor

_TYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "int64": torch.int64,
    "int32": torch.int32,
    "bool": torch.bool,
}
_LARGEST_SIZE = 2**31
_TEXT = re.compile(r"(?:(?P<name>[A-Za-z_]\w*)=)?(?:(?P<type>\w+):)?(?P<shape>\d+(?:x\d+)*)")
_FORM = "(3, 224, 224), ((128,), 'int64'), a tuple of such or a dictionary of such by name"


@dataclass(frozen=True)
class Input:
    """One tensor that a network is called with.

    Attributes:
        shape: without the batch dimension.
        type: name of its type, as `float32`.
        name: of the argument; None if it is positional.
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
        """Return such a tensor for a batch of one, on torch's default device."""
        return torch.empty((1, *self.shape), dtype=_TYPES[self.type])


@dataclass(frozen=True)
class Inputs:
    """All that a network is called with, in order."""

    items: tuple[Input, ...]

    def tensors(self) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """Return the positional and the named arguments for a batch of one."""
        positional = tuple(i.tensor() for i in self.items if i.name is None)
        return positional, {i.name: i.tensor() for i in self.items if i.name is not None}


def parse_input(text: str) -> Input:
    """Read an input as typed: `3x224x224`, `int64:128`, `mask=bool:128`.

    Raises:
        SnapError: the text is of another form.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise SnapError(
            f"input {excerpt(text)}: write [NAME=][TYPE:]SHAPE, as 3x224x224 or int64:128"
        )
    shape = tuple(map(int, match["shape"].split("x")))
    return Input(shape, match["type"] or "float32", match["name"])


def read_inputs(value: object) -> Inputs:
    """Read inputs as Python gives them.

    Raises:
        SnapError: the value has no form of an input.
    """
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        named: list[tuple[str | None, Any]] = list(value.items())
    elif _is_input(value):
        named = [(None, value)]
    elif isinstance(value, tuple | list):
        named = [(None, each) for each in value]
    else:
        raise _refused(value)
    if not named or not all(_is_input(each) for _, each in named):
        raise _refused(value)
    return Inputs(tuple(_input(each, name) for name, each in named))


def _input(value: Any, name: str | None) -> Input:
    if _is_shape(value):
        return Input(tuple(value), name=name)
    return Input(tuple(value[0]), value[1], name)


def _is_input(value: object) -> bool:
    return _is_shape(value) or _is_pair(value)


def _is_shape(value: object) -> bool:
    if not isinstance(value, tuple | list):
        return False
    return bool(value) and all(type(size) is int for size in value)


def _is_pair(value: object) -> bool:
    if not isinstance(value, tuple | list) or len(value) != 2:
        return False
    return _is_shape(value[0]) and isinstance(value[1], str)


def _refused(value: object) -> SnapError:
    return SnapError(f"input shape {excerpt(value)}: give {_FORM}, without the batch dimension")
