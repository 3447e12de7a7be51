"""Recipes for tuning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BASE = "all-MiniLM-L6-v2"
"""The model to tune."""

Loss = Literal["contrastive", "cosine", "triplet"]


@dataclass(frozen=True)
class Recipe:
    """Settings of a tuning run."""

    loss: Loss  # see `snap_encode.tuning.losses`
    epochs: int = 3  # a run is validated after each epoch, and can be resumed there
    steps: int = 20  # batches per epoch
    categories: int = 6  # categories per batch
    classes: int = 3  # the most operators of each category
    texts: int = 4  # the most texts of each operator
    rank: int = 16  # of the low-rank updates (LoRA) of every linear layer
    alpha: int = 32  # the updates are scaled by `alpha / rank`
    # peak rate of AdamW, after a linear rise in the first epoch and before a cosine decay to 0
    learning_rate: float = 1e-3


RECIPES: Mapping[Loss, Recipe] = {
    "contrastive": Recipe("contrastive"),
    "cosine": Recipe("cosine"),
    "triplet": Recipe("triplet", learning_rate=2e-4),
}
"""The recipe of each loss, the default first."""
