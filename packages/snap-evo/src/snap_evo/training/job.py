"""A training: an architecture, data and settings."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from snap_catalog import SnapError
from snap_catalog.console import progress
from snap_graphs import Space
from snap_graphs.torch.build import Size, architecture_size, build_network

from snap_evo.architecture import Architecture
from snap_evo.training.checkpoint import State
from snap_evo.training.data import Data, read_data
from snap_evo.training.loop import Trainer
from snap_evo.training.recipe import Recipe, recipe_for

_AUXILIARY_SIDES = (32, 224)
"""Sides of images that the auxiliary head of `darts` and `nds` fits."""


@dataclass(frozen=True)
class Job:
    """A training.

    Attributes:
        architecture: the architecture to train.
        space: its space.
        layers: its number of cells; that of the space's benchmark if None.
        channels: channels of its first cells; likewise.
        data: training and validation images.
        recipe: the settings.
        seed: of initial weights and all later randomness.
        device: `cpu` or `cuda`.
    """

    architecture: Architecture
    space: Space
    layers: int | None
    channels: int | None
    data: Data
    recipe: Recipe
    seed: int
    device: torch.device

    @classmethod
    def of(
        cls,
        architecture: Architecture,
        data: str | Data,
        settings: Mapping[str, Any],
        *,
        layers: int | None = None,
        channels: int | None = None,
        image: int | None = None,
        seed: int = 0,
        device: str | None = None,
    ) -> "Job":
        """Read the data, and fill in the defaults.

        Args:
            architecture: the architecture to train.
            data: a folder of images or an `.npz` of arrays, or the data read from it.
            settings: by name settings of the recipe that replace those of the space.
            layers: number of cells; that of the space's benchmark if None.
            channels: channels of the first cells.
            image: side to scale images of a folder to.
            seed: of all randomness.
            device: `cpu` or `cuda`; if None, `cuda` if there is one.

        Raises:
            SnapError: the data are damaged or of another size, no network of that size is known,
                or there is no such device.
        """
        space, cell = architecture.search_space, architecture.cell
        if space is None:
            raise SnapError(f"no network is known around a cell of {architecture.space!r:.60}")
        usual = architecture_size(space, cell, layers=layers, channels=channels, image=image)
        found = data if isinstance(data, Data) else read_data(data, image, usual.image)
        recipe = replace(recipe_for(space, found.side, len(found.train.labels)), **settings)
        return cls(architecture, space, layers, channels, found, recipe, seed, _device(device))

    @property
    def size(self) -> Size:
        """The size of the network."""
        return architecture_size(self.space, self.architecture.cell, **self._given)

    @property
    def _given(self) -> dict[str, int | None]:
        classes, image = len(self.data.classes), self.data.side
        return {
            "layers": self.layers,
            "channels": self.channels,
            "classes": classes,
            "image": image,
        }

    @property
    def facts(self) -> dict[str, Any]:
        """All settings of the training, for JSON."""
        return {
            "space": self.architecture.space,
            "arch_id": self.architecture.arch_id,
            **self.size._asdict(),
            "data": self.data.fingerprint,
            **asdict(self.recipe),
            "augment": list(self.recipe.augment),
            "seed": self.seed,
            "device": self.device.type,
        }

    def train(self, state: State, keep: Callable[[State], None], *, quiet: bool = False) -> State:
        """Train until all epochs are over.

        Raises:
            SnapError: the network cannot be built or fails, the loss is not finite, an image is
                damaged, or memory is short.
        """
        trainer = Trainer(self._network(), self.data, self.recipe, self.seed, self.device)
        total, done = (n * trainer.steps for n in (self.recipe.epochs, len(state.epochs)))
        with progress("training", total, done=done, quiet=quiet) as advance:
            return trainer.run(state, keep, advance)

    def _network(self) -> torch.nn.Module:
        torch.manual_seed(self.seed)
        return build_network(
            self.space,
            self.architecture.arch_id,
            **self._given,
            auxiliary=self.recipe.auxiliary and self.data.side in _AUXILIARY_SIDES,
        )


def _device(name: str | None) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise SnapError("device cuda: PyTorch finds no graphics card here; use cpu")
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
