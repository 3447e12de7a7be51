"""Create modules without memory for their weights."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import torch
from torch import nn

_T = TypeVar("_T")


def on_meta() -> AbstractContextManager[object]:
    """Make every tensor on the meta device, which has no values."""
    return torch.device("meta")


@contextmanager
def weightless() -> Iterator[None]:
    """Move parameters to the meta device as modules register them; other tensors have values.

    For constructors that compute with values, as those of torchvision's RegNets do.
    """
    register = nn.Module.register_parameter

    def moved(module: nn.Module, name: str, param: nn.Parameter | None) -> None:
        register(module, name, param)
        if param is not None and not nn.parameter.is_lazy(param):
            empty = nn.Parameter(param.to("meta"), requires_grad=param.requires_grad)
            module._parameters[name] = empty

    nn.Module.register_parameter = moved  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


def lacks_values(error: Exception) -> bool:
    """Return whether code failed since tensors on the meta device have no values."""
    return isinstance(error, NotImplementedError | RuntimeError) and "meta tensor" in str(error)


def built(function: Callable[[], _T]) -> _T:
    """Call a function that makes modules, on the meta device if that will do."""
    try:
        with on_meta():
            return function()
    except (NotImplementedError, RuntimeError) as error:
        if not lacks_values(error):
            raise
    with weightless():
        return function()
