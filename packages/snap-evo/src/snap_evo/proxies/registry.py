"""The proxies by name, and the combination of several to one."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

from snap_evo.proxies import activations, blocks, gradients, jacobian, perturbation, weights
from snap_evo.proxies.proxy import Proxy

Scores = npt.NDArray[np.float64]

PROXIES: Mapping[str, Proxy] = {
    proxy.name: proxy
    for proxy in (
        Proxy("params", (weights.SIZE,), weights.params),
        Proxy("flops", (weights.SIZE,), weights.flops),
        Proxy("l2_norm", (weights.SIZE,), weights.l2_norm),
        Proxy("grad_norm", (gradients.GRADIENTS,), gradients.grad_norm),
        Proxy("snip", (gradients.GRADIENTS,), gradients.snip),
        Proxy("plain", (gradients.GRADIENTS,), gradients.plain),
        Proxy("fisher", (gradients.GRADIENTS,), gradients.fisher),
        Proxy("grasp", (gradients.CURVATURE,), gradients.grasp),
        Proxy("jacov", (jacobian.JACOBIAN,), jacobian.jacov),
        Proxy("epe_nas", (jacobian.JACOBIAN,), jacobian.epe_nas),
        Proxy("synflow", (gradients.SYNAPTIC_FLOW,), gradients.synflow),
        Proxy("zen", (perturbation.PERTURBATION,), perturbation.zen),
        Proxy("nwot", (activations.ACTIVATIONS,), activations.nwot),
        Proxy("swap", (activations.ACTIVATIONS,), activations.swap),
        Proxy("zico", (gradients.GRADIENTS, gradients.MORE_GRADIENTS), gradients.zico),
        Proxy("az_expressivity", (activations.ACTIVATIONS,), activations.az_expressivity),
        Proxy("az_progressivity", (activations.ACTIVATIONS,), activations.az_progressivity),
        Proxy("az_trainability", (blocks.FLOW,), blocks.az_trainability),
        Proxy("az_complexity", (weights.SIZE,), weights.flops),
        # Add a proxy here: write its formula, a function from what a pass recorded to a number,
        # next to the pass, or write a new pass in its own module; then test it in
        # test_proxies.py on a network for which its value is known. Nothing else lists proxies.
    )
}
"""By name the proxies that score a single network."""

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
    """Return the names of the proxies to measure for some, which may be combined ones."""
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
