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


class NetworkCosts(NamedTuple):
    """Costs of a network, counted as in `snap-graphs`.

    Attributes:
        params: trainable parameters, without those of an auxiliary head.
        flops: multiply-adds of convolutions, linear layers and products of matrices for one image;
            normalisations, activations, pooling and sums are not counted.
        activations: elements that these put out.
        auxiliary_params: trainable parameters of the auxiliary head, which inference does not need.
    """

    params: int
    flops: int
    activations: int
    auxiliary_params: int


def count_costs(network: nn.Module, image: int) -> NetworkCosts:
    """Count parameters, and multiply-adds and activations by watching one image pass.

    Args:
        network: maps images to logits; on the meta device nothing is computed.
        image: side of the images in pixels.

    Raises:
        SnapError: the network, which may hold anybody's code, failed.
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
    """Send two random images through a network in training mode, and the loss's gradient back.

    The weights stay as they are, the statistics of normalisations move.

    Returns:
        The number of parameters that a gradient reached; operators that do not act on the output
        get none.

    Raises:
        SnapError: the network failed, the logits have the wrong shape, or they or a gradient are
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
