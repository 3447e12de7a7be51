"""The proxy of the sensitivity of a network with Gaussian weights to its input."""

import math
from typing import TYPE_CHECKING, NamedTuple

from snap_evo.proxies.proxy import Pass, Trial

if TYPE_CHECKING:
    from torch import Tensor, nn

_PERTURBATION = 0.01


class Response(NamedTuple):
    """The change of feature maps.

    Attributes:
        change: mean over images of the summed absolute change of the last feature map.
        variances: by batch normalisation the mean over channels of its running variance.
    """

    change: float
    variances: list[float]


def _run(trial: Trial) -> Response:
    import torch
    from torch.nn.modules.batchnorm import _BatchNorm

    network, images = trial.network, trial.batch(0).images
    _draw_gaussian(network)
    noise, direction = torch.randn_like(images), torch.randn_like(images)
    with torch.no_grad():
        before = last_feature_map(network, noise)
        after = last_feature_map(network, noise + _PERTURBATION * direction)
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm)]
    variances = [float(m.running_var.mean()) for m in norms if m.running_var is not None]
    return Response(float((before - after).abs().flatten(1).sum(1).mean()), variances)


PERTURBATION = Pass("perturbation", _run)


def _draw_gaussian(network: "nn.Module") -> None:
    """Draw all weights from N(0, 1); scales become 1, biases 0, running statistics are reset."""
    from torch.nn import init
    from torch.nn.modules.batchnorm import _BatchNorm

    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            init.normal_(parameter)
        else:
            init.constant_(parameter, float(name.endswith("weight")))
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.reset_running_stats()


def last_feature_map(network: "nn.Module", images: "Tensor") -> "Tensor":
    """Return the last (b, c, h, w) output of a module, except global pooling.

    If there are no feature maps, the network's output is returned.
    """
    from torch import nn

    found: list[Tensor] = []

    def keep(module: nn.Module, entering: object, output: object) -> None:
        pooling = isinstance(module, nn.AdaptiveAvgPool2d)
        if getattr(output, "ndim", 0) == 4 and not pooling:
            found[:] = [output]  # type: ignore[list-item]

    handles = [module.register_forward_hook(keep) for module in network.modules()]
    output: Tensor = network(images)
    for handle in handles:
        handle.remove()
    return found[0] if found else output


def zen(found: Response) -> float:
    r"""Return the Zen score.

    log E||f(x) - f(x + 0.01 e)||_1 + \sum_l log sqrt(mean_c v_lc), with weights, x and e from
    N(0, 1), f the last feature map, and v the running variances of the batch normalisations l
    after both passes, over their channels c. Lin et al., "Zen-NAS: A Zero-Shot NAS for
    High-Performance Image Recognition", ICCV 2021, algorithm 1; the 1-norm and the running
    variances, not those of the batch, are NAS-Bench-Suite-Zero's.
    """
    if not found.change > 0 or not all(variance > 0 for variance in found.variances):
        return -math.inf
    return math.log(found.change) + sum(map(math.log, found.variances)) / 2
