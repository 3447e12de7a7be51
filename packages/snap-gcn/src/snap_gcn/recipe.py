"""What a predictor is and how it is trained."""

from dataclasses import dataclass, replace
from typing import Literal

Schedule = Literal["full", "short"]


@dataclass(frozen=True)
class Recipe:
    """Network and training settings; the defaults are the paper's (section 4).

    Attributes:
        layers: graph convolutions.
        width: channels of each.
        epochs: passes over the training cells.
        batch_size: cells a step.
        learning_rate: AdamW's, at first.
        weight_decay: AdamW's.
        step_size: epochs after which the learning rate is multiplied by `gamma`.
        gamma: see `step_size`.
        fraction: share of the training cells that is used.
    """

    layers: int = 3
    width: int = 64
    epochs: int = 150
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    step_size: int = 40
    gamma: float = 0.1
    fraction: float = 1.0


PRESETS = {"paper": Recipe()}


def recipe(preset: str, schedule: Schedule) -> Recipe:
    """Return a preset's recipe.

    The short schedule, for further seeds and grids, takes 20 epochs over a fifth of the cells and
    scales the learning-rate step alike.
    """
    full = PRESETS[preset]
    if schedule == "full":
        return full
    return replace(
        full, epochs=20, step_size=round(full.step_size * 20 / full.epochs), fraction=0.2
    )
