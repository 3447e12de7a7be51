"""The proxy of second derivatives of the loss."""

from typing import TYPE_CHECKING, NamedTuple

from snap_evo.proxies.gradients import gradients_of
from snap_evo.proxies.proxy import Pass, Trial
from snap_evo.proxies.weights import weights_of

if TYPE_CHECKING:
    from torch import Tensor


class Curvature(NamedTuple):
    """The Hessian of the loss times its gradient.

    Attributes:
        weights: k weight tensors.
        products: by weight tensor H g, of the same shape.
    """

    weights: "list[Tensor]"
    products: "list[Tensor]"


def _run(trial: Trial) -> Curvature:
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
    return Curvature([w.detach() for w in weights], gradients_of(product, weights))


CURVATURE = Pass("curvature", _run)


def grasp(found: Curvature) -> float:
    r"""Return how much the weights preserve the flow of the gradient, \sum -w * (H g).

    Wang et al., "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020,
    summed by Abdelfattah et al., ICLR 2021.
    """
    pairs = zip(found.weights, found.products, strict=True)
    return -sum(float((weight * product).sum()) for weight, product in pairs)
