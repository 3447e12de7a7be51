"""What is tuned, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BASE = "all-MiniLM-L6-v2"
"""The model that is tuned."""

Loss = Literal["contrastive", "cosine", "triplet"]


@dataclass(frozen=True)
class Recipe:
    """Settings of a tuning run.

    Attributes:
        loss: what is minimised over the pairs of a batch; see `snap_encode.tuning.losses`.
        epochs: after each, the encoder is validated and the run can be taken up again.
        steps: batches an epoch.
        categories: categories a batch draws from.
        classes: the most operators of each category.
        texts: the most texts of each operator.
        rank: of the low-rank updates (LoRA) of every linear layer.
        alpha: the updates are scaled by `alpha / rank`.
        learning_rate: AdamW's at its highest; it rises over the first epoch and then falls to 0
            with the cosine.
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
