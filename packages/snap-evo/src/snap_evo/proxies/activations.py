"""Proxies of the activation patterns and feature maps of one forward pass."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from snap_evo.proxies.blocks import BlockOutputs
from snap_evo.proxies.proxy import Pass, Trial

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float64]


class Activations(NamedTuple):
    """The activations by b images.

    Attributes:
        agreements: (b, b) by pair of images the number of units that are on, or off, for both.
        patterns: number of different patterns of units over the images.
        entropies: by block the entropy of the spectrum of its feature map, in nats.
    """

    agreements: Floats
    patterns: int
    entropies: list[float]


def _run(trial: Trial) -> Activations:
    import torch

    from snap_evo.proxies.watch import ActivationWatch

    images = trial.batch(0).images
    patterns, blocks = _Patterns(len(images)), BlockOutputs(trial.network)
    with torch.no_grad(), ActivationWatch(patterns.add):
        trial.network(images)
    entropies = [spectral_entropy(features) for features in blocks.outputs(images)]
    return Activations(patterns.agreements.numpy(), patterns.distinct(), entropies)


ACTIVATIONS = Pass("activations", _run, imports=True)


class _Patterns:
    """Collects which units are on, layer by layer."""

    def __init__(self, batch: int) -> None:
        import torch

        self.agreements = torch.zeros(batch, batch, dtype=torch.float64)
        # A pattern is kept as a random sum over the images where the unit is on, modulo 2^64: two
        # different ones agree with a probability of 2^-64.
        limits = torch.iinfo(torch.int64)
        self._keys = torch.randint(limits.min, limits.max, (batch, 1), dtype=torch.int64)
        self._sums: list[Tensor] = []

    def add(self, entering: "Tensor") -> None:
        """Take the (b, ...) input of a rectifier."""
        import torch

        if entering.ndim < 2 or len(entering) != len(self._keys):
            return
        on = (entering.detach().flatten(1) > 0).cpu()
        share = on.float() - 0.5
        # (on - 1/2)(on' - 1/2) is 1/4 where two images agree, and -1/4 where they differ.
        self.agreements += 2 * (share @ share.T).double() + on.shape[1] / 2
        self._sums.append(torch.unique((on * self._keys).sum(0)))

    def distinct(self) -> int:
        """Return how many different patterns there are."""
        import torch

        return len(torch.unique(torch.cat(self._sums))) if self._sums else 0


def spectral_entropy(features: "Tensor") -> float:
    r"""Return the entropy of the principal components of a feature map's channels.

    -\sum_i p_i log p_i with p the eigenvalues of the channels' covariance, divided by their sum; 0
    of a constant feature map.

    Args:
        features: (b, c, h, w).
    """
    import torch

    columns = features.detach().movedim(1, -1).flatten(0, -2).double()
    centred = columns - columns.mean(0)
    if not torch.isfinite(centred).all():
        return float("nan")
    values = torch.linalg.eigvalsh(centred.T @ centred).clamp(min=0)
    total = values.sum()
    return float(torch.special.entr(values / total).sum()) if total > 0 else 0.0


def nwot(found: Activations) -> float:
    """Return how differently images activate the units: log |det K|.

    K_ij is the number of units on which images i and j agree. Mellor et al., "Neural Architecture
    Search without Training", ICML 2021.
    """
    return float(np.linalg.slogdet(found.agreements)[1])


def swap(found: Activations) -> float:
    """Return the number of different sample-wise activation patterns.

    The pattern of a unit says for which images of the batch it is on. Peng et al., "SWAP-NAS:
    Sample-Wise Activation Patterns for Ultra-Fast NAS", ICLR 2024, without the regularisation by
    size.
    """
    return float(found.patterns)


def az_expressivity(found: Activations) -> float:
    """Return the sum over blocks of their spectral entropies.

    Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024.
    """
    return sum(found.entropies) if found.entropies else np.nan


def az_progressivity(found: Activations) -> float:
    """Return the least growth of the spectral entropy from a block to the next.

    Lee and Ham, CVPR 2024.
    """
    growth = np.diff(found.entropies)
    return float(growth.min()) if len(growth) else np.nan
