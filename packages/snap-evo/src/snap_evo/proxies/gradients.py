"""Proxies of gradients: of the loss, of its second derivatives, and of the synaptic flow."""

import math
from typing import TYPE_CHECKING, NamedTuple

from snap_evo.proxies.proxy import Pass, Trial
from snap_evo.proxies.weights import weights_of

if TYPE_CHECKING:
    from torch import Tensor, nn


class Gradients(NamedTuple):
    """The gradient of the mean cross-entropy over a batch of b images, by weight tensor and layer.

    Attributes:
        weights: k weight tensors.
        gradients: by weight tensor the gradient, of the same shape; zeros if none reaches it.
        saliencies: by convolution and linear layer (b, c), the product of the layer's output and
            its gradient, summed over positions.
    """

    weights: "list[Tensor]"
    gradients: "list[Tensor]"
    saliencies: "list[Tensor]"


def _run(trial: Trial) -> Gradients:
    from torch.nn import functional

    batch, layers = trial.batch(0), LayerOutputs(trial.network)
    loss = functional.cross_entropy(trial.network(batch.images), batch.labels)
    weights, outputs = weights_of(trial.network), layers.outputs
    found = gradients_of(loss, [*weights, *(output for output, _ in outputs)])
    pairs = zip(outputs, found[len(weights) :], strict=True)
    saliencies = [_saliency(output.detach() * g, axis) for (output, axis), g in pairs]
    return Gradients([w.detach() for w in weights], found[: len(weights)], saliencies)


def _run_more(trial: Trial) -> "list[list[Tensor]]":
    """Return by further batch the gradients of the k weight tensors."""
    from torch.nn import functional

    weights, found = weights_of(trial.network), []
    for number in range(1, trial.batches):
        batch = trial.batch(number)
        loss = functional.cross_entropy(trial.network(batch.images), batch.labels)
        found.append(gradients_of(loss, weights))
    return found


GRADIENTS = Pass("gradients", _run)
MORE_GRADIENTS = Pass("more gradients", _run_more)


def gradients_of(loss: "Tensor", of: "list[Tensor] | list[nn.Parameter]") -> "list[Tensor]":
    """Return gradients of a scalar, zeros with respect to tensors that it does not depend on."""
    import torch

    if not loss.requires_grad:
        return [torch.zeros_like(each) for each in of]
    found = torch.autograd.grad(loss, of, allow_unused=True, materialize_grads=True)
    return [each.detach() for each in found]


class LayerOutputs:
    """Keeps the outputs of convolutions and linear layers, with the axis of their channels."""

    def __init__(self, network: "nn.Module") -> None:
        """Watch a network."""
        import torch
        from torch.nn.modules.conv import _ConvNd

        self.outputs: list[tuple[Tensor, int]] = []
        for module in network.modules():
            if isinstance(module, (_ConvNd, torch.nn.Linear)):
                module.register_forward_hook(self._keep)

    def _keep(self, module: "nn.Module", entering: object, output: "Tensor") -> None:
        import torch

        if output.requires_grad:
            self.outputs.append((output, -1 if isinstance(module, torch.nn.Linear) else 1))


def _inner_product(weights: "list[Tensor]", others: "list[Tensor]") -> float:
    """Return the sum over weight tensors of their elementwise products with others."""
    return sum(float((w * other).sum()) for w, other in zip(weights, others, strict=True))


def _saliency(products: "Tensor", axis: int) -> "Tensor":
    """Sum (b, ...) over all axes but the first and that of the channels."""
    moved = products.movedim(axis, -1)
    return moved.reshape(len(moved), -1, moved.shape[-1]).sum(1)


def grad_norm(found: Gradients) -> float:
    r"""Return the sum over weight tensors of the Euclidean norm of the gradient.

    \sum_l ||dL / dw_l||_2. Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR
    2021.
    """
    return sum(float(gradient.norm()) for gradient in found.gradients)


def snip(found: Gradients) -> float:
    r"""Return the sum of connection sensitivities.

    \sum |w * dL / dw| over all weights. Lee et al., "SNIP: Single-Shot Network Pruning Based on
    Connection Sensitivity", ICLR 2019, summed by Abdelfattah et al., ICLR 2021.
    """
    pairs = zip(found.weights, found.gradients, strict=True)
    return sum(float((weight * gradient).abs().sum()) for weight, gradient in pairs)


def plain(found: Gradients) -> float:
    r"""Return the inner product of weights and gradient, \sum w * dL / dw.

    Mozer and Smolensky, "Skeletonization", NeurIPS 1988, summed by Abdelfattah et al., ICLR 2021.
    Weights ahead of a normalisation add nothing, as the loss does not depend on their scale.
    """
    return _inner_product(found.weights, found.gradients)


def fisher(found: Gradients) -> float:
    r"""Return the sum of the channels' Fisher pruning scores.

    \sum_c 1 / 2b \sum_n (\sum_p a_ncp * dL / da_ncp)^2 over the channels c of convolutions and
    linear layers, the images n and the positions p, where a is the output of the layer. Theis et
    al., "Faster gaze prediction with dense networks and Fisher pruning", 2018; Turner et al.,
    "BlockSwap: Fisher-guided Block Substitution for Network Compression on a Budget", ICLR 2020.
    """
    return sum(float(each.square().mean(0).sum()) / 2 for each in found.saliencies)


def zico(first: Gradients, others: "list[list[Tensor]]") -> float:
    r"""Return how large gradients are for how much they vary between batches.

    \sum_l log \sum_w E|dL / dw| / sqrt(Var|dL / dw|) over weight tensors l and their weights w,
    with mean and variance over batches. Li et al., "ZiCo: Zero-shot NAS via Inverse Coefficient of
    Variation on Gradients", ICLR 2023. Weights whose gradient does not vary are left
    out, as are tensors that no gradient reaches.
    """
    import torch

    logarithms = []
    for by_batch in zip(first.gradients, *others, strict=True):
        sizes = torch.stack(by_batch).abs()
        deviation, mean = sizes.std(0, correction=0), sizes.mean(0)
        varies = deviation > 0
        if varies.any():
            ratios = mean[varies] / deviation[varies]
            logarithms.append(math.log(ratios.sum(dtype=torch.float64)))
    return sum(logarithms) if logarithms else -math.inf


def _run_twice(trial: Trial) -> float:
    r"""Return \sum w * (H g) with g the gradient of the loss and H its Hessian."""
    import torch
    from torch.nn import functional

    # Second derivatives of convolutions take longer with channels last in memory.
    network = trial.network.to(memory_format=torch.contiguous_format)
    (images, labels), weights = trial.batch(0), weights_of(network)
    loss = functional.cross_entropy(network(images.contiguous()), labels)
    found = torch.autograd.grad(
        loss, weights, create_graph=True, allow_unused=True, materialize_grads=True
    )
    # d/dw <g(w), c> = H c with c = g held fixed.
    product = torch.stack([(g * g.detach()).sum() for g in found]).sum()
    return _inner_product([w.detach() for w in weights], gradients_of(product, weights))


CURVATURE = Pass("curvature", _run_twice)


def grasp(curvature: float) -> float:
    r"""Return how much the weights preserve the flow of the gradient, \sum -w * (H g).

    Wang et al., "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020,
    summed by Abdelfattah et al., ICLR 2021.
    """
    return -curvature


def _run_on_ones(trial: Trial) -> float:
    r"""Return \sum w * dR / dw with R the sum of logits of an image of ones, all weights >= 0."""
    import torch

    network = without_batch_norm(trial.network).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    one = torch.ones_like(trial.batch(0).images[:1], dtype=torch.float64)
    weights = weights_of(network)
    gradients = gradients_of(network(one).sum(), weights)
    return _inner_product([weight.detach() for weight in weights], gradients)


SYNAPTIC_FLOW = Pass("synaptic flow", _run_on_ones)


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
