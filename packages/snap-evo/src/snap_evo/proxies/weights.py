"""Proxies of a network's size, which need no batch."""

from typing import TYPE_CHECKING, NamedTuple

from snap_evo.proxies.proxy import Pass, Trial

if TYPE_CHECKING:
    from torch import Tensor, nn


class Size(NamedTuple):
    """The costs of a network, and its weights.

    Attributes:
        params: trainable parameters.
        flops: multiply-adds for one image.
        weights: those of convolutions and linear layers, as `weights_of` returns them.
    """

    params: int
    flops: int
    weights: "list[Tensor]"


def weights_of(network: "nn.Module") -> "list[nn.Parameter]":
    """Return the trainable parameters of two dimensions and more.

    Those are the weights of convolutions, linear layers and attention; biases and what
    normalisations scale and shift by have one dimension.
    """
    return [p for p in network.parameters() if p.requires_grad and p.ndim > 1]


def _measure(trial: Trial) -> Size:
    from snap_graphs.torch.build import count_costs

    costs = count_costs(trial.network, trial.batch(0).images.shape[-1])
    weights: list[Tensor] = [weight.detach() for weight in weights_of(trial.network)]
    return Size(costs.params, costs.flops, weights)


SIZE = Pass("size", _measure, imports=True)


def params(size: Size) -> float:
    """Return the number of trainable parameters."""
    return float(size.params)


def flops(size: Size) -> float:
    """Return the multiply-adds of convolutions, linear layers and matrix products for an image."""
    return float(size.flops)


def l2_norm(size: Size) -> float:
    """Return the sum over weight tensors of their Euclidean norms.

    Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, use it as a baseline.
    """
    return sum(float(weight.norm()) for weight in size.weights)
