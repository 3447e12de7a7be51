"""The blocks of a network, and the proxy of how they propagate gradients."""

from itertools import pairwise
from typing import TYPE_CHECKING

from snap_evo.proxies.proxy import Pass, Trial

if TYPE_CHECKING:
    from torch import Tensor, nn

_SMALL = 1e-6


def blocks_of(network: "nn.Module") -> "list[nn.Module]":
    """Return the blocks of a network, such as cells, residual blocks and stems of several layers.

    They are the outermost modules with submodules, after lists and sequences of such modules are
    opened. The blocks of a network of plain layers are its convolutions and linear layers.
    """
    from torch import nn

    def made_of_others(module: nn.Module) -> list[nn.Module]:
        return [child for child in module.children() if next(child.children(), None) is not None]

    def opened(module: nn.Module) -> list[nn.Module]:
        found = []
        for child in made_of_others(module):
            is_list = isinstance(child, (nn.Sequential, nn.ModuleList))
            found += opened(child) if is_list and made_of_others(child) else [child]
        return found

    plain = [m for m in network.modules() if any(p.ndim > 1 for p in m.parameters(recurse=False))]
    return opened(network) or plain


class BlockOutputs:
    """Keeps the feature maps between the blocks of a network as it runs."""

    def __init__(self, network: "nn.Module") -> None:
        """Watch a network."""
        self._seen: list[Tensor] = []
        for block in blocks_of(network):
            block.register_forward_hook(self._keep)

    def _keep(self, module: "nn.Module", entering: object, output: object) -> None:
        first = entering[0] if isinstance(entering, tuple) and entering else entering
        for value in ([] if self._seen else [first]) + [output]:
            if getattr(value, "ndim", 0) == 4:
                self._seen.append(value)  # type: ignore[arg-type]

    def outputs(self, images: "Tensor") -> "list[Tensor]":
        """Return each output (b, c, h, w), after what enters the first block if not the images."""
        return [value for value in self._seen if value is not images]


def _run(trial: Trial) -> list[float]:
    """Return by block, from the second feature map on, the spectral norm of its mean Jacobian."""
    import torch

    images = trial.batch(0).images
    blocks = BlockOutputs(trial.network)
    trial.network(images)
    features, norms = blocks.outputs(images), []
    for before, after in pairwise(features):
        signs = torch.randint_like(after, 2) * 2 - 1
        if after.requires_grad and before.requires_grad:
            (gradient,) = torch.autograd.grad(
                after, before, signs, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            norms.append(spectral_norm(signs, gradient))
        else:
            norms.append(0.0)
    return norms


FLOW = Pass("flow", _run, imports=True)


def spectral_norm(signs: "Tensor", gradient: "Tensor") -> float:
    r"""Estimate the spectral norm of a block's Jacobian between channels.

    The largest singular value of 1 / n \sum g v^T over n images and positions, where v are random
    signs at the block's output and g = J^T v. A block that divides the side by r has r * r times
    the channels of its input at each position of its output.

    Args:
        signs: (b, c, h, w).
        gradient: (b, c', h', w') with h' and w' multiples of h and w, or cut to such.
    """
    import torch
    from torch.nn import functional

    ratio = max(1, gradient.shape[-1] // signs.shape[-1])
    height, width = (side * ratio for side in signs.shape[-2:])
    short = (0, max(0, width - gradient.shape[-1]), 0, max(0, height - gradient.shape[-2]))
    fitted = functional.pad(gradient, short)[..., :height, :width]
    rows = functional.pixel_unshuffle(fitted, ratio).movedim(1, -1).flatten(0, -2)
    columns = signs.movedim(1, -1).flatten(0, -2)
    product = rows.T @ columns / len(columns)
    if not torch.isfinite(product).all():
        return float("nan")
    return float(torch.linalg.matrix_norm(product, 2))


def az_trainability(norms: list[float]) -> float:
    """Return how close the blocks come to propagating gradients unchanged.

    The mean over blocks of 2 - s - 1 / s, which is 0 at best, with s the spectral norm of the
    Jacobian. Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search",
    CVPR 2024. 1e-6 is added to the denominator.
    """
    scores = [2 - norm - 1 / (norm + _SMALL) for norm in norms]
    return sum(scores) / len(scores) if scores else float("nan")
