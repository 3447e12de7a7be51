"""Create and measure the operators of a user-defined space from its classes."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

import torch
from snap_catalog import SnapError
from torch import Tensor, nn

from snap_graphs.cell import NONE
from snap_graphs.spaces.custom import CustomSpace
from snap_graphs.spaces.definition import SKIP
from snap_graphs.torch import import_file
from snap_graphs.torch.build.counting import Counts, count
from snap_graphs.torch.build.operators import Zero, conv_bn

_PYTHON = ".py"
_LONGEST_REASON = 200


class Blocks:
    """Creates the operators of a space, and measures each of their shapes once."""

    def __init__(self, space: CustomSpace) -> None:
        """Import the classes of the operators.

        Args:
            space: the space. Its definition names a class for every operator except `none` and
                `skip_connect`, which are built in.

        Raises:
            SnapError: the code is not allowed or fails; names file, operator and class.
        """
        definition = space.definition
        if space.withheld_code:
            raise SnapError(space.withheld_code)
        self._source = definition.source
        self._modules = definition.modules
        self._makers = {name: self._maker(name) for name in definition.operators}
        self.measure = cache(self._measure)

    def make(self, name: str, entering: int, channels: int, stride: int) -> nn.Module:
        """Create an operator.

        Raises:
            SnapError: its class raises an error.
        """
        with self._running(name, f"{self._class(name)}({entering}, {channels}, {stride})"):
            return self._makers[name](entering, channels, stride)

    def _measure(self, name: str, entering: int, channels: int, stride: int, side: int) -> Counts:
        """Count the costs of an operator on the meta device, without computing.

        Args:
            name: the operator.
            entering: input channels.
            channels: output channels.
            stride: divisor of the side, rounded up.
            side: side of the input in pixels.

        Raises:
            SnapError: the operator raises an error, or its output has another shape.
        """
        call = f"{self._class(name)}({entering}, {channels}, {stride})"
        with torch.device("meta"):
            module, x = self.make(name, entering, channels, stride), torch.empty(1)
            x = x.expand(1, entering, side, side)
            with self._running(name, f"{call} on {entering} x {side} x {side}"):
                counts = count(module, x)
                found = module.eval()(x)
        expected = (1, channels, -(-side // stride), -(-side // stride))
        if not isinstance(found, Tensor) or found.shape != expected:
            shape = tuple(found.shape[1:]) if isinstance(found, Tensor) else type(found).__name__
            raise self._refused(
                name, f"turns {(entering, side, side)} into {shape}, not {expected[1:]}; correct it"
            )
        return counts

    def _maker(self, name: str) -> Callable[[int, int, int], nn.Module]:
        if name not in self._modules:
            if name not in _BUILT_IN:
                raise SnapError(f"{self._source}: operators.{name} has no module; add one")
            return _BUILT_IN[name]
        place, _, attribute = self._modules[name].rpartition(":")
        with self._running(name, "importing it"):
            is_file = place.endswith(_PYTHON)
            path = (Path(self._source).parent / place).resolve()
            module = _import_file(path) if is_file else importlib.import_module(place)
        found = getattr(module, attribute, None)
        if not isinstance(found, type):
            raise self._refused(name, f"names no class; {place} has no {attribute}; correct it")
        if not issubclass(found, nn.Module):
            raise self._refused(name, "is no torch.nn.Module; derive it from that")
        maker: Callable[[int, int, int], nn.Module] = found
        return maker

    def _class(self, name: str) -> str:
        return self._modules.get(name, name).rpartition(":")[2]

    def _refused(self, name: str, problem: str) -> SnapError:
        where = f"{self._source}: operators.{name}.module = {self._modules.get(name, '')!r}"
        return SnapError(f"{where} {problem}")

    @contextmanager
    def _running(self, name: str, doing: str) -> Iterator[None]:
        """Raise a one-line error if user code fails."""
        try:
            yield
        except SnapError:
            raise
        except (Exception, SystemExit) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]
            raise self._refused(name, f"failed ({doing} raised {reason}); correct it") from error


def _skip(entering: int, channels: int, stride: int) -> nn.Module:
    """Return the identity, or a 1x1 convolution and normalisation if the shape changes."""
    if (entering, stride) == (channels, 1):
        return nn.Identity()
    return nn.Sequential(*conv_bn(entering, channels, 1, stride))


_BUILT_IN: Mapping[str, Callable[[int, int, int], nn.Module]] = {
    NONE: lambda _, channels, stride: Zero(channels, stride),
    SKIP: _skip,
}


@cache
def _import_file(path: Path) -> ModuleType:
    return import_file(path, f"snap_own_{path.stem}_{abs(hash(path)):x}")
