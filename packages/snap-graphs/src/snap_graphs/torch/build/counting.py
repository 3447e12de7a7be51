"""Count the costs of modules from the operations on one input, and check that they can train."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from snap_catalog import SnapError
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from snap_graphs.torch.build.size import Size

_aten = torch.ops.aten


class Counts(NamedTuple):
    """Costs of a module, as defined by the `graphs` contract.

    Attributes:
        params: trainable parameters; shared ones count once.
        flops: multiply-adds of convolutions, linear layers and matrix products for one input.
        activations: output elements of these (Radosavovic et al., "Designing Network Design
            Spaces", CVPR 2020, section 3.1, which counts convolutions only).
    """

    params: int
    flops: int
    activations: int


def count_params(module: nn.Module) -> int:
    """Return the number of trainable parameters of a module; shared ones count once."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def count(module: nn.Module, x: Tensor) -> Counts:
    """Count the costs of one forward pass in evaluation mode.

    Normalisations, activation functions, pooling and sums cost nothing.

    Args:
        module: the module; on the meta device nothing is computed.
        x: its input with a batch of one, on the same device.
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
    """Sums up the costs of all operations inside the context."""

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
    """Count weights per output element, or per input element of a transposed convolution."""
    transposed = settings[4]
    return (x if transposed else found).numel() * math.prod(weight.shape[1:])


def _product(found: Tensor, *factors: Tensor) -> int:
    return found.numel() * factors[-1].shape[-2]


_MULTIPLY_ADDS: Mapping[Any, Callable[..., int]] = {
    _aten.convolution: _convolution,
    **dict.fromkeys((_aten.mm, _aten.addmm, _aten.bmm, _aten.baddbmm), _product),
}
"""Functions that count the multiply-adds of an operation from its output and arguments."""


class NetworkCosts(NamedTuple):
    """Costs of a network for one image.

    Attributes:
        params: trainable parameters, without those of an auxiliary head.
        flops: multiply-adds of convolutions, linear layers and matrix products; normalisations,
            activation functions, pooling and sums are not counted.
        activations: output elements of these.
        auxiliary_params: trainable parameters of the auxiliary head, which inference does not need.
    """

    params: int
    flops: int
    activations: int
    auxiliary_params: int


def count_costs(network: nn.Module, image: int) -> NetworkCosts:
    """Count the costs of a network from a forward pass of one image.

    Args:
        network: maps images to logits; on the meta device nothing is computed.
        image: side of the images in pixels.

    Raises:
        SnapError: the network, which may contain user code, fails.
    """
    head = getattr(network, "auxiliary", None)
    auxiliary = count_params(head) if head is not None else 0
    device = next(network.parameters()).device
    with _running("inference"):
        counts = count(network, torch.zeros(1, 3, image, image, device=device))
    return NetworkCosts(*counts._replace(params=counts.params - auxiliary), auxiliary)


@contextmanager
def _running(mode: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SnapError(f"the network fails in {mode} ({reason:.200}); correct it") from error


def try_training(network: nn.Module, size: Size) -> int:
    """Compute the gradient of the loss for two random images in training mode.

    Weights do not change, but the running statistics of normalisations do.

    Returns:
        The number of parameters with a gradient, which need to affect the output.

    Raises:
        SnapError: the network fails, the logits have a wrong shape, or the loss or a gradient is
            not finite.
    """
    with _running("training"):
        logits = network.train()(torch.randn(2, 3, size.image, size.image))
    heads = logits if isinstance(logits, tuple) else (logits,)
    if any(head.shape != (2, size.classes) for head in heads):
        raise SnapError(f"the network puts out {tuple(heads[0].shape)} and not 2 x {size.classes}")
    labels = torch.arange(2) % size.classes
    loss = torch.stack([functional.cross_entropy(head, labels) for head in heads]).sum()
    parameters = list(network.parameters())
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    reached = [gradient for gradient in gradients if gradient is not None]
    if not all(torch.isfinite(gradient).all() for gradient in (loss, *reached)):
        raise SnapError("a gradient of the network is not finite; it cannot be trained")
    return sum(gradient.numel() for gradient in reached)
