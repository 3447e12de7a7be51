"""The scorer `proxy:NAME[+NAME...]`: builds the networks of architectures, and scores them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.extras import require
from snap_graphs import Space
from snap_graphs.table import table_space

from snap_evo.proxies.images import Images, open_images
from snap_evo.proxies.measure import averaged, measure_network
from snap_evo.proxies.registry import COMBINED, check_names, combine, parts, passes
from snap_evo.proxies.settings import Settings, parse_settings
from snap_evo.scorers import Measured, Scores

if TYPE_CHECKING:
    from torch import nn


class ProxyScorer:
    """Scores architectures by zero-cost proxies of their networks at initialisation.

    Initial weights, images and labels depend on the seed alone: an architecture has the same scores
    in any table, except for `az_nas`, which ranks it within the table. Scores are cached.

    Attributes:
        names: of the proxies.
        settings: the settings of the proxies.
        space: the search space, if its code may be imported; None to take it from the tables.
    """

    def __init__(
        self,
        names: str | Sequence[str],
        settings: Settings | None = None,
        *,
        space: Space | None = None,
    ) -> None:
        """Choose proxies.

        Args:
            names: of proxies; as one text, joined by `+`, and followed by settings as in
                `synflow+nwot,batch=32,images=digits.npz`.
            settings: used unless the text has settings.
            space: the search space, if its code may be imported.

        Raises:
            SnapError: a name or setting is wrong, a package is missing, or images cannot be read.
        """
        given: Settings | None = None
        if isinstance(names, str):
            text, *texts = names.split(",")
            names, given = text.split("+"), parse_settings(texts) if texts else None
        self.names = tuple(check_names(names))
        self.settings = given or settings or Settings()
        require("snap-evo[proxies]", "torch")
        self._source: Images = open_images(self.settings)
        self.space = space
        self._known: dict[tuple[str, str], Measured] = {}

    @property
    def images(self) -> str:
        """Description of the images that networks process."""
        return self._source.name

    def score(self, graphs: pa.Table) -> Scores:
        """Score architectures by the one proxy.

        Args:
            graphs: n rows of the `graphs` contract.

        Returns:
            (n,) scores, higher is better.

        Raises:
            SnapError: there are several proxies, or one that ranks a table; or as in `columns`.
        """
        if len(self.names) > 1:
            weighted = "+".join(f"proxy:{name}*0.5" for name in self.names[:2])
            raise SnapError(
                f"{' and '.join(self.names)} are several scores; combine them as {weighted}"
            )
        if self.names[0] in COMBINED:
            weighted = "+".join(f"proxy:{name}*1" for name in COMBINED[self.names[0]])
            raise SnapError(
                f"{self.names[0]} ranks the networks of a table, but a search scores parts of one; "
                f"use snap-evo score, or combine its own parts as {weighted}"
            )
        return self.columns(graphs)[self.names[0]]

    def columns(self, graphs: pa.Table) -> dict[str, Scores]:
        """Score architectures by each proxy.

        Args:
            graphs: n rows of the `graphs` contract, of one search space.

        Returns:
            By name (n,) scores, higher is better, `NO_SCORE` if a proxy is not finite.

        Raises:
            SnapError: the graphs are of several spaces, or a network cannot be built or fails.
        """
        space = self.space or table_space(graphs)
        arch_ids = graphs["arch_id"].to_pylist()
        return self.together([self.measure(space, arch_id).values for arch_id in arch_ids])

    def together(self, rows: Sequence[Mapping[str, float]]) -> dict[str, Scores]:
        """Return by name the (n,) scores of n networks, given what was measured of each."""
        found = {
            name: np.array([row[name] for row in rows], np.float64) for name in parts(self.names)
        }
        return {
            name: combine([found[part] for part in COMBINED[name]])
            if name in COMBINED
            else found[name]
            for name in self.names
        }

    def seconds(self, steps: Mapping[str, float]) -> dict[str, float]:
        """Return how long each proxy takes alone, given the seconds of the passes."""
        return {name: sum(steps[each] for each in passes(name)) for name in self.names}

    def measure(self, space: Space, arch_id: str) -> Measured:
        """Return the scores of one architecture by the proxies that score single networks.

        Of a combined proxy such as `az_nas` its parts are returned.

        Args:
            space: the search space.
            arch_id: the architecture, as the space's own string.

        Raises:
            SnapError: the network cannot be built or fails.
        """
        key = space.name, arch_id
        if key not in self._known:
            try:
                self._known[key] = self._measure(space, arch_id)
            except SnapError as error:
                raise SnapError(f"cannot score {arch_id:.80} of {space.name}: {error}") from error
        return self._known[key]

    def measure_network(self, network: "nn.Module", side: int | None) -> Measured:
        """Return the scores of one network.

        Args:
            network: as in `score_network`.
            side: of the images in pixels; None for that of the settings, or the usual.

        Raises:
            SnapError: the network fails.
        """
        shown = self._source.side
        if side and shown and side != shown:
            raise SnapError(
                f"the network takes images of {side} pixels per side, and those of {self.images} "
                f"have {shown}; give other images, or input={side} if they are in a folder"
            )
        single = replace(self.settings, image=side or self.settings.image)
        return measure_network(network, parts(self.names), single, self._source)

    def _measure(self, space: Space, arch_id: str) -> Measured:
        """Build and score a network for each seed."""
        from snap_graphs.torch.build import architecture_size

        settings, source = self.settings, self._source
        given: dict[str, int | None] = {
            "layers": settings.layers,
            "channels": settings.channels,
            "classes": settings.classes or source.classes,
            "image": settings.image or source.side,
        }
        size = architecture_size(space, space.parse(arch_id), **given)
        by_seed = []
        for seed in settings.seeds:
            network = build(space, arch_id, given, seed)
            single = replace(settings.of_seed(seed), image=size.image)
            by_seed.append(measure_network(network, parts(self.names), single, source))
        return averaged(by_seed)


def build(space: Space, arch_id: str, size: dict[str, int | None], seed: int) -> "nn.Module":
    """Build a network whose initial weights depend on the seed alone."""
    import torch
    from snap_graphs.torch.build import build_network

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_network(space, arch_id, **size)  # type: ignore[arg-type]
