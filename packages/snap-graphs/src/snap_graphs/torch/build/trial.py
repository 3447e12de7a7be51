"""Count what a network costs, and see that it can be trained."""

import math
from typing import NamedTuple

import torch
from snap_catalog import SnapError
from torch import Tensor, nn
from torch.nn import functional

from snap_graphs.torch.build.size import Size

_AUXILIARY = "auxiliary."


class NetworkCosts(NamedTuple):
    """What a network costs, by the rule of `snap-graphs`.

    Attributes:
        params: trainable parameters, without those of an auxiliary head.
        flops: multiply-adds of convolutions and linear layers for one image; normalisations,
            activations, pooling and sums are not counted.
        auxiliary_params: trainable parameters of the auxiliary head, which inference does not need.
    """

    params: int
    flops: int
    auxiliary_params: int


def count_costs(network: nn.Module, image: int) -> NetworkCosts:
    """Count parameters, and multiply-adds by watching one image pass.

    Args:
        network: maps images to logits.
        image: side of the images in pixels.
    """
    params = [0, 0]
    for name, parameter in network.named_parameters():
        params[name.startswith(_AUXILIARY)] += parameter.numel()
    return NetworkCosts(params[0], _multiply_adds(network, image), params[1])


def _multiply_adds(network: nn.Module, image: int) -> int:
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        # Each of a layer's weights meets each place of its output once.
        places = math.prod(output.shape[2:])
        total += module.get_parameter("weight").numel() * places

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, image, image))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return total


def try_training(network: nn.Module, size: Size) -> int:
    """Send two random images through a network in training mode, and the loss's gradient back.

    The weights stay as they are, the statistics of normalisations move.

    Returns:
        The number of parameters that a gradient reached; operators that do not act on the output
        get none.

    Raises:
        SnapError: the logits have the wrong shape, or they or a gradient are not finite.
    """
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
