"""All proxies by name, and how several of them make one."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

from snap_evo.proxies import (
    activations,
    blocks,
    curvature,
    gradients,
    jacobian,
    perturbation,
    synaptic_flow,
    weights,
)
from snap_evo.proxies.activations import ACTIVATIONS
from snap_evo.proxies.blocks import FLOW
from snap_evo.proxies.curvature import CURVATURE
from snap_evo.proxies.gradients import GRADIENTS, MORE_GRADIENTS
from snap_evo.proxies.jacobian import JACOBIAN
from snap_evo.proxies.perturbation import PERTURBATION
from snap_evo.proxies.proxy import Proxy
from snap_evo.proxies.synaptic_flow import SYNAPTIC_FLOW
from snap_evo.proxies.weights import SIZE

Scores = npt.NDArray[np.float64]

_AZ_NAS = "Lee and Ham, CVPR 2024"
_BASELINE = "Abdelfattah et al., ICLR 2021"

PROXIES: Mapping[str, Proxy] = {
    proxy.name: proxy
    for proxy in (
        Proxy("params", (SIZE,), weights.params, "trainable parameters", ""),
        Proxy("flops", (SIZE,), weights.flops, "multiply-adds for an image", ""),
        Proxy("l2_norm", (SIZE,), weights.l2_norm, "norms of the weights", _BASELINE),
        Proxy("grad_norm", (GRADIENTS,), gradients.grad_norm, "norms of the gradient", _BASELINE),
        Proxy(
            "snip", (GRADIENTS,), gradients.snip, "|weights * gradient|", "Lee et al., ICLR 2019"
        ),
        Proxy(
            "plain",
            (GRADIENTS,),
            gradients.plain,
            "weights * gradient",
            "Mozer and Smolensky, NeurIPS 1988",
        ),
        Proxy(
            "fisher",
            (GRADIENTS,),
            gradients.fisher,
            "Fisher information of the channels",
            "Theis et al., 2018; Turner et al., ICLR 2020",
        ),
        Proxy(
            "grasp",
            (CURVATURE,),
            curvature.grasp,
            "preservation of the gradient's flow",
            "Wang et al., ICLR 2020",
        ),
        Proxy(
            "jacov",
            (JACOBIAN,),
            jacobian.jacov,
            "independence of the images' Jacobians",
            "Mellor et al., 2020",
        ),
        Proxy(
            "epe_nas",
            (JACOBIAN,),
            jacobian.epe_nas,
            "correlation of the Jacobians within classes",
            "Lopes et al., ICANN 2021",
        ),
        Proxy(
            "synflow",
            (SYNAPTIC_FLOW,),
            synaptic_flow.synflow,
            "log of what all paths carry",
            "Tanaka et al., NeurIPS 2020",
        ),
        Proxy(
            "zen",
            (PERTURBATION,),
            perturbation.zen,
            "response to a change of the images",
            "Lin et al., ICCV 2021",
        ),
        Proxy(
            "nwot",
            (ACTIVATIONS,),
            activations.nwot,
            "difference of the images' activation patterns",
            "Mellor et al., ICML 2021",
        ),
        Proxy(
            "swap",
            (ACTIVATIONS,),
            activations.swap,
            "number of the units' activation patterns",
            "Peng et al., ICLR 2024",
        ),
        Proxy(
            "zico",
            (GRADIENTS, MORE_GRADIENTS),
            gradients.zico,
            "size of gradients for their variation",
            "Li et al., ICLR 2023",
        ),
        Proxy(
            "az_expressivity",
            (ACTIVATIONS,),
            activations.az_expressivity,
            "entropy of the feature maps' spectra",
            _AZ_NAS,
        ),
        Proxy(
            "az_progressivity",
            (ACTIVATIONS,),
            activations.az_progressivity,
            "least growth of that entropy between blocks",
            _AZ_NAS,
        ),
        Proxy(
            "az_trainability",
            (FLOW,),
            blocks.az_trainability,
            "how blocks preserve the size of gradients",
            _AZ_NAS,
        ),
        Proxy("az_complexity", (SIZE,), weights.flops, "multiply-adds for an image", _AZ_NAS),
        # Add a proxy here: write its formula, a function from what a pass recorded to a number,
        # beside the pass, or write a new pass in a module of its own; then test it in
        # test_proxies.py on a network for which its value is known. Nothing else lists proxies.
    )
}
"""By name the proxies that score one network by itself."""

COMBINED: Mapping[str, Sequence[str]] = {
    "az_nas": ("az_expressivity", "az_progressivity", "az_trainability", "az_complexity"),
}
"""By name the proxies that rank networks by several others."""


def proxy_names() -> list[str]:
    """Return the names of all proxies, including combined ones."""
    return [*PROXIES, *COMBINED]


def check_names(names: Iterable[str]) -> list[str]:
    """Return names of proxies, each once.

    Raises:
        SnapError: there are none, or one is unknown.
    """
    found = list(dict.fromkeys(names))
    unknown = [name for name in found if name not in {*PROXIES, *COMBINED}]
    if unknown or not found:
        what = f"unknown proxy {unknown[0]!r:.40}" if unknown else "no proxy is given"
        raise SnapError(f"{what}; there are {', '.join(proxy_names())}")
    return found


def parts(names: Iterable[str]) -> list[str]:
    """Return the names of the proxies that have to be measured for some, combined or not."""
    return list(dict.fromkeys(part for name in names for part in COMBINED.get(name, (name,))))


def passes(name: str) -> list[str]:
    """Return the names of the passes that a proxy needs."""
    found = (each.name for part in parts([name]) for each in PROXIES[part].passes)
    return list(dict.fromkeys(found))


def combine(columns: Sequence[Scores]) -> Scores:
    r"""Combine proxies as AZ-NAS does.

    \sum_m log(r_m / n) with r_m the rank by proxy m, n for the best of n networks, the mean rank
    for equal ones. Lee and Ham, CVPR 2024.

    Args:
        columns: by proxy (n,) scores, higher is better.

    Returns:
        (n,) scores of 0 or less, which depend on all networks of the table.
    """
    found: Scores = np.sum([np.log(_ranks(each) / len(each)) for each in columns], axis=0)
    return found


def _ranks(scores: Scores) -> Scores:
    """Return (n,) ranks from 1 on, equal scores averaged."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks: Scores = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks
