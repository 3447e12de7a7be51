"""Count the costs of a network, and check that it can be trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from snap_catalog import SnapError
from torch import nn
from torch.nn import functional

from snap_graphs.torch.build.counting import count, count_params
from snap_graphs.torch.build.size import Size

_AUXILIARY = "auxiliary"


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
    auxiliary = count_params(getattr(network, _AUXILIARY)) if hasattr(network, _AUXILIARY) else 0
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
