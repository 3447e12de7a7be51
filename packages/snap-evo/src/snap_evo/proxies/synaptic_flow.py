"""The proxy of the synaptic flow through a network, which needs no data."""

import math
from typing import TYPE_CHECKING

from snap_evo.proxies.gradients import gradients_of
from snap_evo.proxies.proxy import Pass, Trial
from snap_evo.proxies.weights import weights_of

if TYPE_CHECKING:
    from torch import nn


def _run(trial: Trial) -> float:
    r"""Return \sum w * dR / dw with R the sum of logits of an image of ones, all weights >= 0."""
    import torch

    network = without_batch_norm(trial.network).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    one = torch.ones_like(trial.batch(0).images[:1], dtype=torch.float64)
    weights = weights_of(network)
    gradients = gradients_of(network(one).sum(), weights)
    pairs = zip(weights, gradients, strict=True)
    return sum(float((weight.detach() * gradient).sum()) for weight, gradient in pairs)


SYNAPTIC_FLOW = Pass("synaptic flow", _run)


def without_batch_norm(network: "nn.Module") -> "nn.Module":
    """Replace the batch normalisations in a network by the identity."""
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm

    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm):
                setattr(module, name, nn.Identity())
    return network


def synflow(flow: float) -> float:
    r"""Return the logarithm of the synaptic flow, log \sum w * dR / dw over all weights.

    Tanaka et al., "Pruning Neural Networks without Any Data by Iteratively Conserving Synaptic
    Flow", NeurIPS 2020; summed, and without batch normalisation, by Abdelfattah et al.,
    ICLR 2021. NAS-Bench-Suite-Zero publishes the logarithm too, as the sum itself spans a hundred
    orders of magnitude.
    """
    return math.log(flow) if flow > 0 else -math.inf
