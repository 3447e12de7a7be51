"""The images that networks process: Gaussian noise, or a user's own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from snap_catalog import SnapError
from snap_catalog.extras import require

from snap_evo.proxies.proxy import Batch
from snap_evo.proxies.settings import Settings

if TYPE_CHECKING:
    import torch

    from snap_evo.training.data import Data

NOISE = "Gaussian noise with random labels"
USUAL_SIDE = 32


class Images(Protocol):
    """A source of batches.

    Attributes:
        name: description of the images for results.
        side: of the images in pixels; None for that of the network.
        classes: number of classes; None for that of the network.
    """

    name: str
    side: int | None
    classes: int | None

    def draw(self, size: int, side: int, classes: int, seed: int, number: int) -> Batch:
        """Draw a batch.

        Args:
            size: number of images.
            side: of the images in pixels.
            classes: number of classes.
            seed: seed of the random draw.
            number: number of the batch, which changes the draw too.
        """


def open_images(settings: Settings) -> Images:
    """Return the source of images of some settings.

    Raises:
        SnapError: a package is missing, or the images cannot be read or do not fit the settings.
    """
    if settings.images is None:
        return Noise()
    require("snap-evo[proxies]", "torch", "PIL")
    from snap_evo.training.data import read_data

    path = settings.images
    if not Path(path).exists():
        raise SnapError(f"{path}: no such file or folder; name a folder of images or an .npz file")
    data = read_data(path, settings.image, USUAL_SIDE)
    if len(data.train.labels) < settings.batch:
        raise SnapError(
            f"{path}: has {len(data.train.labels)} images to draw from, fewer than a batch of "
            f"{settings.batch}; give a smaller batch"
        )
    if settings.classes is not None and settings.classes < len(data.classes):
        raise SnapError(
            f"{path}: has {len(data.classes)} classes, more than the {settings.classes} given; "
            "leave the number of classes out"
        )
    return Pictures(data, path)


def generator(seed: int, purpose: str) -> "torch.Generator":
    """Return a random generator whose numbers depend on seed and purpose alone."""
    import torch

    digest = hashlib.sha256(f"{seed} {purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8]) >> 1)


@dataclass
class Noise:
    """Images whose pixels are from N(0, 1), with random labels."""

    name: str = NOISE
    side: int | None = None
    classes: int | None = None

    def draw(self, size: int, side: int, classes: int, seed: int, number: int) -> Batch:
        """Draw a batch."""
        import torch

        random = generator(seed, f"batch {number}")
        images = torch.randn(size, 3, side, side, generator=random)
        return Batch(images, torch.randint(classes, (size,), generator=random))


class Pictures:
    """Training images of a data set, normalised by channel, with their labels."""

    def __init__(self, data: "Data", path: str) -> None:
        """Take a data set.

        Args:
            data: the data set.
            path: its file or folder.
        """
        self._data = data
        self.name = f"{Path(path).name} (SHA-256 {data.fingerprint})"
        self.side: int | None = data.side
        self.classes: int | None = len(data.classes)
        self._drawn: dict[tuple[int, int, int], Batch] = {}

    def draw(self, size: int, side: int, classes: int, seed: int, number: int) -> Batch:
        """Draw a batch without replacement; batches of different numbers may share images.

        Raises:
            SnapError: a file cannot be decoded.
        """
        key = size, seed, number
        if key not in self._drawn:
            self._drawn[key] = self._draw(size, generator(seed, f"batch {number}"))
        return self._drawn[key]

    def _draw(self, size: int, random: "torch.Generator") -> Batch:
        import torch

        part, (mean, deviation) = self._data.train, self._data.normalisation
        rows = torch.randperm(len(part.labels), generator=random)[:size]
        pixels = part.pixels.read(rows.tolist()).to(torch.float32)
        shift, scale = (torch.tensor(each).view(3, 1, 1) for each in (mean, deviation))
        return Batch((pixels - shift) / scale, part.labels[rows])
