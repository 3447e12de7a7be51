"""Watch the activation functions of a network, whether modules or functions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_aten = torch.ops.aten
_RECTIFIERS = frozenset(
    {
        _aten.relu,
        _aten.relu_,
        _aten.leaky_relu,
        _aten.leaky_relu_,
        _aten.hardtanh,
        _aten.hardtanh_,
        _aten._prelu_kernel,
        _aten.elu,
        _aten.elu_,
        _aten.gelu,
        _aten.silu,
        _aten.silu_,
        _aten.hardswish,
        _aten.hardswish_,
        _aten.mish,
        _aten.mish_,
    }
)
"""Functions whose slope changes at or near 0."""


class ActivationWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Calls a function with the input of every rectifier while the context is active."""

    def __init__(self, see: Callable[[Tensor], None]) -> None:
        """Watch.

        Args:
            see: called with each input of a rectifier.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._see = see

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func.overloadpacket in _RECTIFIERS:
            self._see(args[0])
        return func(*args, **(kwargs or {}))
