"""Create networks by a user's function; this runs its code."""

import importlib
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import torch
from snap_catalog import SnapError
from snap_catalog.errors import excerpt
from torch import nn

from snap_graphs.torch import import_file
from snap_graphs.torch.trace.inputs import Inputs, read_inputs

_IMPORTED_AS = "snap_traced_source"
"""Module name of an imported file, which no package has."""
_FORM = "a module, (name, module) or (name, module, input_shape)"
_END = object()
_T = TypeVar("_T")
_ON_META = partial(torch.device, "meta")
"""Creates tensors on the meta device, which have no values."""


class Given(NamedTuple):
    """A network of a source.

    Attributes:
        name: name of the network, unique in the source.
        module: the module; its parameters are on the meta device unless weights were requested.
        inputs: inputs of the module; None if the source does not give them.
    """

    name: str
    module: nn.Module
    inputs: Inputs | None


@dataclass(frozen=True)
class Source:
    """A function that creates networks.

    Attributes:
        place: a Python file, or the name of a module.
        function: name of the function in it.
    """

    place: str
    function: str

    @classmethod
    def of(cls, text: str) -> "Source":
        """Parse `file.py:function` or `package.module:function`.

        Raises:
            SnapError: the text has another form, or the file is missing.
        """
        place, _, function = text.rpartition(":")
        if not place or not function.isidentifier():
            raise SnapError(
                f"source {excerpt(text)}: write file.py:function or package.module:function"
            )
        if place.endswith(".py") and not Path(place).is_file():
            raise SnapError(f"{place}: no such file")
        return cls(place, function)

    @property
    def name(self) -> str:
        """Name of the file without suffix, or of the module."""
        return Path(self.place).stem if self.place.endswith(".py") else self.place

    def __str__(self) -> str:
        return f"{self.place}:{self.function}"

    def open(self, *, weights: bool = False) -> "Opened":
        """Import the code and call the function.

        Args:
            weights: whether networks keep the initial weights of the code, instead of being created
                on the meta device.

        Raises:
            SnapError: the code fails, has no such function, or the function returns no networks.
        """
        with _running(self):
            found = getattr(self._module(), self.function, None)
        if not callable(found):
            raise SnapError(f"{self.place}: has no function {self.function!r}")
        with _running(self):
            networks = found() if weights else built(found)
        if isinstance(networks, nn.Module):
            return Opened(self, found, [(self.function, networks)], 1, weights)
        if isinstance(networks, str) or not isinstance(networks, Iterable):
            raise SnapError(f"{self}: returned {excerpt(networks)}; return or yield {_FORM}")
        count = len(networks) if isinstance(networks, Sized) else None
        return Opened(self, found, networks, count, weights)

    def _module(self) -> ModuleType:
        path = Path(self.place) if self.place.endswith(".py") else None
        folder = str(path.resolve().parent) if path else ""
        if folder not in sys.path:
            sys.path.append(folder)  # last, so that files next to it cannot shadow packages
        return import_file(path, _IMPORTED_AS) if path else importlib.import_module(self.place)


@dataclass(frozen=True)
class Opened:
    """The networks of a source, created one at a time by iteration.

    Attributes:
        source: the source.
        function: its function.
        networks: the value that the function returned.
        count: number of networks; None if the function yields them.
        weights: whether networks have initial weights.
    """

    source: Source
    function: Callable[[], Any]
    networks: Iterable[Any]
    count: int | None
    weights: bool = False

    def __iter__(self) -> Iterator[Given]:
        """Yield the networks one at a time.

        Raises:
            SnapError: the function fails, or yields something else.
        """
        for item in self._items():
            yield self._given(item)
            del item  # before the next one is created

    def _items(self) -> Iterator[Any]:
        """Yield the items of the function; call it again if it needs values of meta tensors."""
        count, items = 0, iter(self.networks)
        place: Callable[[], AbstractContextManager[object]]
        place = nullcontext if self.weights else _ON_META
        while True:
            with _running(self.source):
                try:
                    with place():
                        item = next(items, _END)
                except (NotImplementedError, RuntimeError) as error:
                    if place is not _ON_META or not _lacks_values(error):
                        raise
                    place = _weightless
                    with place():
                        items = islice(iter(self.function()), count, None)
                    continue
            if item is _END:
                return
            count += 1
            yield item
            del item

    def _given(self, item: Any) -> Given:
        if isinstance(item, nn.Module):
            return Given(self.source.function, item, None)
        name, module, *shape = item if isinstance(item, tuple | list) else (None, None)
        if not isinstance(name, str) or not isinstance(module, nn.Module) or len(shape) > 1:
            raise SnapError(f"{self.source}: gave {excerpt(item)}; return or yield {_FORM}")
        if not name or not name.isprintable():
            raise SnapError(
                f"{self.source}: gave a network the name {excerpt(name)}; name every one in one "
                "printable line"
            )
        try:
            return Given(name, module, read_inputs(shape[0]) if shape else None)
        except SnapError as error:
            raise SnapError(f"{self.source}: {name}: {error}") from error


@contextmanager
def _running(source: Source) -> Iterator[None]:
    """Raise a one-line error if a user's code fails."""
    try:
        yield
    except SystemExit as error:
        raise SnapError(f"{source}: it exits ({excerpt(error.code)}); let it return") from error
    except SnapError:
        raise
    except ModuleNotFoundError as error:
        raise SnapError(f"{source}: {error}; install it or run where it can be found") from error
    except SyntaxError as error:
        place = f"line {error.lineno} of {Path(error.filename or source.place).name}"
        raise SnapError(f"{source}: {place} is no Python ({error.msg}); correct it") from error
    except Exception as error:
        raise SnapError(f"{source}: {_where(error)}raised {summary(error)}; correct it") from error


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[1:]
    return f"line {frames[-1].lineno} of {Path(frames[-1].filename).name} " if frames else ""


def summary(error: BaseException) -> str:
    """Return the type of an error and the first line of its message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@contextmanager
def _weightless() -> Iterator[None]:
    """Move parameters to the meta device when modules register them; other tensors have values.

    This supports constructors that compute with values, such as those of torchvision's RegNets.
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


def _lacks_values(error: Exception) -> bool:
    """Return whether an error occurred because tensors on the meta device have no values."""
    return isinstance(error, NotImplementedError | RuntimeError) and "meta tensor" in str(error)


def built(function: Callable[[], _T]) -> _T:
    """Call a function that creates modules, on the meta device if it needs no values."""
    try:
        with torch.device("meta"):
            return function()
    except (NotImplementedError, RuntimeError) as error:
        if not _lacks_values(error):
            raise
    with _weightless():
        return function()
