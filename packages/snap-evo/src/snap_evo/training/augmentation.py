"""Augment training images at random."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from snap_evo.training.recipe import Augmentation


def shift(images: Tensor, random: torch.Generator) -> Tensor:
    """Pad (b, c, side, side) images by an eighth of the side, and crop each to its old size."""
    count, _, side, _ = images.shape
    margin = side // 8
    padded = functional.pad(images, (margin,) * 4)
    corners = torch.randint(2 * margin + 1, (2, count, 1), generator=random)
    rows, columns = (corners + torch.arange(side)).to(images.device)
    number = torch.arange(count, device=images.device)[:, None, None]
    return padded[number, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def mirror(images: Tensor, random: torch.Generator) -> Tensor:
    """Mirror every other image, on average."""
    chosen = torch.rand(len(images), 1, 1, 1, generator=random) < 0.5
    return torch.where(chosen.to(images.device), images.flip(3), images)


def blank(images: Tensor, random: torch.Generator) -> Tensor:
    """Set a square of half the side, its centre anywhere, to 0 (DeVries and Taylor, 2017)."""
    side = images.shape[2]
    centres = torch.randint(side, (2, len(images), 1), generator=random)
    begin = centres - side // 4
    places = torch.arange(side)
    rows, columns = ((begin <= places) & (places < begin + side // 2)).to(images.device)
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0)


def augmented(images: Tensor, kinds: Sequence[Augmentation], random: torch.Generator) -> Tensor:
    """Apply the augmentations that move pixels, before normalisation."""
    if "crop" in kinds:
        images = shift(images, random)
    return mirror(images, random) if "flip" in kinds else images
