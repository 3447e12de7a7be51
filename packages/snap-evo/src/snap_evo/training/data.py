"""Images with labels, for training and for validation."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from snap_catalog import SnapError
from snap_catalog.checksums import file_sha256
from torch import Tensor

from snap_evo.training import arrays, folders

_FEWEST_IMAGES = 2
"""Batch normalisation needs two images in a step."""
_SAMPLE = 5_000
"""Largest number of images from which the channels' mean and deviation are computed."""


class Pixels(Protocol):
    """Images that can be read by number."""

    def read(self, numbers: Sequence[int]) -> Tensor:
        """Return (b, 3, side, side) uint8 or float32."""


class Part(NamedTuple):
    """Images for training or validation.

    Attributes:
        pixels: n images.
        labels: (n,) int64 classes.
    """

    pixels: Pixels
    labels: Tensor


class Normalisation(NamedTuple):
    """Mean and deviation by channel over the training images, in their unit."""

    mean: list[float]
    deviation: list[float]


@dataclass(frozen=True)
class Data:
    """A data set.

    Attributes:
        train: training images.
        valid: validation images.
        classes: names of the classes, in the order of their numbers.
        side: of the square images in pixels.
        normalisation: mean to subtract from the images, and deviation to divide them by.
        fingerprint: SHA-256 of the data.
    """

    train: Part
    valid: Part
    classes: tuple[str, ...]
    side: int
    normalisation: Normalisation
    fingerprint: str


def read_data(path: str, image: int | None, usual: int) -> Data:
    """Read a folder of images, or an `.npz` of arrays.

    Args:
        path: the folder or file.
        image: side in pixels to scale images of a folder to, and which arrays must have; None for
            the usual side, or the arrays' own.
        usual: side of the images of the network's benchmark.

    Raises:
        SnapError: naming the file and what is wrong.
    """
    if Path(path).is_dir():
        return _of_folder(Path(path), image or usual)
    return _of_arrays(Path(path), image)


def _of_arrays(path: Path, side: int | None) -> Data:
    parts = arrays.read_arrays(path)
    height = parts[0].images.shape[1]
    if side not in (None, height):
        raise SnapError(f"{path}: has images of {height} x {height}, not {side} x {side}")
    train, valid = (Part(_InMemory(images), torch.from_numpy(labels)) for images, labels in parts)
    names = tuple(str(number) for number in range(int(train.labels.max()) + 1))
    return _checked(path, train, valid, names, height, file_sha256(path))


def _of_folder(path: Path, side: int) -> Data:
    found = folders.list_images(path)
    train, valid = (
        Part(_InFiles(files, side), torch.tensor(labels, dtype=torch.int64))
        for files, labels in (found.train, found.valid)
    )
    return _checked(path, train, valid, found.classes, side, found.fingerprint)


def _checked(
    path: Path, train: Part, valid: Part, classes: tuple[str, ...], side: int, digest: str
) -> Data:
    """Check that there is something to learn, and compute the normalisation."""
    if len(classes) < 2:
        raise SnapError(f"{path}: has one class only; give two or more")
    counts = torch.bincount(train.labels, minlength=len(classes))
    if not counts.all():
        empty = classes[int(counts.argmin())]
        raise SnapError(f"{path}: no training image is of class {empty}; number without gaps")
    if len(train.labels) < _FEWEST_IMAGES or not len(valid.labels):
        raise SnapError(f"{path}: has too few training or validation images; add some")
    return Data(train, valid, classes, side, _normalisation(train), digest)


def _normalisation(part: Part) -> Normalisation:
    n = len(part.labels)
    numbers = np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).round().astype(int)).tolist()
    total, squares, count = np.zeros(3), np.zeros(3), 0
    for begin in range(0, len(numbers), 256):
        images = part.pixels.read(numbers[begin : begin + 256]).to(torch.float64)
        total += images.sum((0, 2, 3)).numpy()
        squares += (images**2).sum((0, 2, 3)).numpy()
        count += images[:, 0].numel()
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    deviation[deviation < 1e-6 * np.maximum(np.abs(mean), 1e-6)] = 1  # a channel without contrast
    return Normalisation(mean.tolist(), deviation.tolist())


class _InMemory:
    """Images in memory."""

    def __init__(self, images: npt.NDArray[np.generic]) -> None:
        """Take (n, side, side) or (n, side, side, 3) uint8 or float32."""
        tensor = torch.from_numpy(images)
        self._images = tensor[:, None] if tensor.ndim == 3 else tensor.permute(0, 3, 1, 2)

    def read(self, numbers: Sequence[int]) -> Tensor:
        images = self._images[torch.tensor(numbers)]
        return images.expand(-1, 3, -1, -1)


class _InFiles:
    """Images that are decoded on demand, several at a time."""

    def __init__(self, files: Sequence[Path], side: int) -> None:
        self._files, self._side = files, side
        self._threads = ThreadPoolExecutor(thread_name_prefix="images")

    def read(self, numbers: Sequence[int]) -> Tensor:
        decoded = self._threads.map(self._decode, numbers)
        return torch.from_numpy(np.stack(list(decoded))).permute(0, 3, 1, 2)

    def _decode(self, number: int) -> npt.NDArray[np.uint8]:
        return folders.decode(self._files[number], self._side)
