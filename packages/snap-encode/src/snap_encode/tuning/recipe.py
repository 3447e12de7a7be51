"""Recipes for tuning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BASE = "all-MiniLM-L6-v2"
"""The model to tune."""

Loss = Literal["contrastive", "cosine", "triplet"]


@dataclass(frozen=True)
class Recipe:
    """Settings of a tuning run.

    Attributes:
        loss: the loss; see `snap_encode.tuning.losses`.
        epochs: number of epochs; a run is validated after each and can be resumed there.
        steps: batches per epoch.
        categories: categories per batch.
        classes: the most operators of each category.
        texts: the most texts of each operator.
        rank: of the low-rank updates (LoRA) of every linear layer.
        alpha: the updates are scaled by `alpha / rank`.
        learning_rate: peak rate of AdamW, after a linear rise in the first epoch and before a
            cosine decay to 0.
    """

    loss: Loss
    epochs: int = 3
    steps: int = 20
    categories: int = 6
    classes: int = 3
    texts: int = 4
    rank: int = 16
    alpha: int = 32
    learning_rate: float = 1e-3


RECIPES: Mapping[Loss, Recipe] = {
    "contrastive": Recipe("contrastive"),
    "cosine": Recipe("cosine"),
    "triplet": Recipe("triplet", learning_rate=2e-4),
}
"""The recipe of each loss, the default first."""
