"""Count the costs of modules from the operations on one input."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

_aten = torch.ops.aten


class Counts(NamedTuple):
    """What a module costs, by the rule of the `graphs` contract.

    Attributes:
        params: trainable parameters, shared ones once.
        flops: multiply-adds of convolutions, linear layers and products of matrices for one input.
        activations: elements that these put out (Radosavovic et al., "Designing Network Design
            Spaces", CVPR 2020, section 3.1, where convolutions alone count).
    """

    params: int
    flops: int
    activations: int


def count_params(module: nn.Module) -> int:
    """Return how many trainable parameters a module has, shared ones once."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def count(module: nn.Module, x: Tensor) -> Counts:
    """Count one pass in inference; normalisations, activations, pooling and sums are free.

    Args:
        module: on the device of its input; on the meta device nothing is computed.
        x: what it takes, with a batch of one.
    """
    training = module.training
    fast = torch.backends.mha.get_fastpath_enabled()
    # Fused attention would hide its products.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _Watch() as watch:
            module.eval()(x)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        module.train(training)
    return Counts(count_params(module), watch.flops, watch.activations)


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the work of all operations while it is entered."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = self.activations = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        rule = _MULTIPLY_ADDS.get(func.overloadpacket)
        if rule is not None:
            self.flops += rule(found, *args)
            self.activations += found.numel()
        return found


def _convolution(found: Tensor, x: Tensor, weight: Tensor, *settings: Any) -> int:
    """Count the weights that each element meets: of the output, or of a transposed one's input."""
    transposed = settings[4]
    return (x if transposed else found).numel() * math.prod(weight.shape[1:])


def _product(found: Tensor, *factors: Tensor) -> int:
    return found.numel() * factors[-1].shape[-2]


_MULTIPLY_ADDS: Mapping[Any, Callable[..., int]] = {
    _aten.convolution: _convolution,
    **dict.fromkeys((_aten.mm, _aten.addmm, _aten.bmm, _aten.baddbmm), _product),
}
"""By operation its multiply-adds, of its output and its arguments."""
