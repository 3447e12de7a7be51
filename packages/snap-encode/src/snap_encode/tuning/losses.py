"""The losses of tuning: functions of (n, d) vectors of length 1 and (n, n) intended cosines."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from snap_encode.tuning.recipe import Loss

MARGIN = 1.0
"""Margin of the triplet loss (paper, equation 1)."""
TEMPERATURE = 0.1
"""Temperature of the contrastive loss."""


def cosine(vectors: Tensor, targets: Tensor) -> Tensor:
    """Return the squared difference of cosine and target (paper, appendix F).

    It is averaged over the pairs of each target, then over the targets, so that the many unrelated
    pairs do not dominate.
    """
    rows, columns = torch.triu_indices(len(vectors), len(vectors), 1)
    similarity, intended = (vectors @ vectors.T)[rows, columns], targets[rows, columns]
    squares = (similarity - intended).square()
    return torch.stack(
        [squares[intended == grade].mean() for grade in torch.unique(intended)]
    ).mean()


def triplet(vectors: Tensor, targets: Tensor) -> Tensor:
    """Return the triplet loss (paper, equation 1), Euclidean, over all triplets of the batch.

    Each text is an anchor. Any two others with different intended similarities to it are positive
    and negative. Triplets that satisfy the margin do not count.
    """
    similarity = vectors @ vectors.T
    # The square root has no finite gradient at 0, hence the lower bound.
    distance = (2 - 2 * similarity).clamp_min(1e-6).sqrt()
    violation = (distance[:, :, None] - distance[:, None, :] + MARGIN).relu()
    others = ~torch.eye(len(targets), dtype=torch.bool)
    valid = (targets[:, :, None] > targets[:, None, :]) & others[:, :, None] & others[:, None, :]
    violations = violation[valid]
    return violations.sum() / (violations > 0).sum().clamp_min(1)


def contrastive(vectors: Tensor, targets: Tensor) -> Tensor:
    """Return a supervised contrastive loss for graded similarities.

    For each text, the softmax over the cosines to the others is compared with the softmax over the
    intended cosines by cross-entropy, averaged over the texts. With two grades it is the loss of
    Khosla et al. (2020), "Supervised contrastive learning". A constant added to all intended
    cosines changes nothing.
    """
    others = ~torch.eye(len(targets), dtype=torch.bool)
    cosines, intended = (
        matrix[others].view(len(targets), -1) / TEMPERATURE
        for matrix in (vectors @ vectors.T, targets)
    )
    return cross_entropy(cosines, intended.softmax(1))


LOSSES: Mapping[Loss, Callable[[Tensor, Tensor], Tensor]] = {
    "contrastive": contrastive,
    "cosine": cosine,
    "triplet": triplet,
}
