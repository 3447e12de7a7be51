"""Zero-cost proxies: scores of a network at initialisation, without training."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_catalog.scores import NO_SCORE

    from snap_evo.proxies.measure import measure_network, score_network
    from snap_evo.proxies.registry import PROXIES, proxy_names
    from snap_evo.proxies.scorer import ProxyScorer
    from snap_evo.proxies.settings import Settings
    from snap_evo.scorers import Measured

__all__ = [
    "NO_SCORE",
    "PROXIES",
    "Measured",
    "ProxyScorer",
    "Settings",
    "measure_network",
    "proxy_names",
    "score_network",
]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "PROXIES": "snap_evo.proxies.registry",
        "NO_SCORE": "snap_catalog.scores",
        "Measured": "snap_evo.scorers",
        "ProxyScorer": "snap_evo.proxies.scorer",
        "Settings": "snap_evo.proxies.settings",
        "measure_network": "snap_evo.proxies.measure",
        "proxy_names": "snap_evo.proxies.registry",
        "score_network": "snap_evo.proxies.measure",
    },
)
