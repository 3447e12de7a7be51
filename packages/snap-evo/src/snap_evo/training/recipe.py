"""The settings of trainings: those of the benchmarks' authors, as in docs/training.md."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from snap_graphs import Space
from snap_graphs.spaces.genotypes import TWO_CELL_SPACES

Augmentation = Literal["crop", "flip", "cutout"]
"""Random crop after padding by an eighth of the side; mirror image; a square set to 0."""


def read_augmentations(text: str) -> tuple[Augmentation, ...]:
    """Read a list of augmentations, such as `crop+flip`; `none` is the empty list.

    Raises:
        ValueError: one is unknown.
    """
    if text == "none":
        return ()
    known: Mapping[str, Augmentation] = {name: name for name in get_args(Augmentation)}
    for name in text.split("+"):
        if name not in known:
            raise ValueError(
                f"{name!r:.40} is none of {', '.join(known)}; give some, such as crop+flip"
            )
    return tuple(known[name] for name in text.split("+"))


@dataclass(frozen=True)
class Recipe:
    """The settings of a training.

    Attributes:
        epochs: passes over the training images.
        batch_size: images per step.
        learning_rate: of the first epoch.
        decay: factor of the learning rate after each epoch; None for a cosine to 0.
        optimiser: SGD with momentum 0.9, the same with Nesterov momentum, or RMSProp.
        weight_decay: L2 penalty on all weights.
        smoothing: label smoothing, 0 to 1.
        clip: largest norm of the gradient; None for no limit.
        auxiliary: whether to add an auxiliary head, with weight 0.4, if it fits the images.
        drop_path: probability of dropping an operator's output; it grows linearly to this value.
        augment: random augmentations of the training images.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    decay: float | None = None
    optimiser: Literal["sgd", "nesterov", "rmsprop"] = "nesterov"
    weight_decay: float = 5e-4
    smoothing: float = 0.0
    clip: float | None = None
    auxiliary: bool = False
    drop_path: float = 0.0
    augment: tuple[Augmentation, ...] = ("crop", "flip")

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        if self.decay is not None:
            return self.learning_rate * self.decay**epoch
        return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2


_NB201 = Recipe(epochs=200, batch_size=256, learning_rate=0.1)
"""Dong and Yang, NAS-Bench-201, ICLR 2020, section 2.2."""
_NB101 = Recipe(108, 256, 0.2, optimiser="rmsprop", weight_decay=1e-4)
_DARTS = Recipe(
    600,
    96,
    0.025,
    optimiser="sgd",
    weight_decay=3e-4,
    clip=5,
    auxiliary=True,
    drop_path=0.2,
    augment=("crop", "flip", "cutout"),
)
_DARTS_IMAGENET = Recipe(
    250,
    128,
    0.1,
    decay=0.97,
    optimiser="sgd",
    weight_decay=3e-5,
    smoothing=0.1,
    clip=5,
    auxiliary=True,
)
_IMAGENET_SIDE = 64
_FEWEST_STEPS = 16
"""Fewest steps of an epoch, so that a small data set takes more than one."""


def recipe_for(space: Space, side: int, images: int) -> Recipe:
    """Return the settings of a space's authors, or those of NAS-Bench-201 if there are none.

    Args:
        space: of the architecture.
        side: of the images in pixels; from 64 on, genotypes are trained as on ImageNet.
        images: number of training images; a batch has at most a sixteenth of them.
    """
    if space.name in TWO_CELL_SPACES:
        recipe = _DARTS_IMAGENET if side >= _IMAGENET_SIDE else _DARTS
    else:
        recipe = _NB101 if space.name == "nb101" else _NB201
    return replace(recipe, batch_size=max(2, min(recipe.batch_size, images // _FEWEST_STEPS)))
