"""Read images from folders, one folder per class."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from snap_catalog import SnapError

from snap_evo.training.arrays import split

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_TRAIN, _VALID = "train", "val"
_MOST_PIXELS = 2**26
_LAYOUT = f"give {_TRAIN}/CLASS/IMAGE and {_VALID}/CLASS/IMAGE, or CLASS/IMAGE"
Labelled = tuple[Sequence[Path], Sequence[int]]


class Listing(NamedTuple):
    """The images of a folder.

    Attributes:
        train: training images, and by file the number of its class.
        valid: the same for validation.
        classes: names of the folders, sorted.
        fingerprint: SHA-256 of the files' names and sizes.
    """

    train: Labelled
    valid: Labelled
    classes: tuple[str, ...]
    fingerprint: str


def list_images(folder: Path) -> Listing:
    """List the images of a folder; if it is not split, a fifth of each class is for validation.

    Raises:
        SnapError: it holds no images by class, or validation images of other classes.
    """
    parts = [folder / _TRAIN, folder / _VALID]
    if not all(part.is_dir() for part in parts):
        classes = _classes(folder)
        files, labels = _labelled(folder, classes)
        drawn = split(np.array(labels))
        train, valid = (([files[i] for i in d], [labels[i] for i in d]) for d in drawn)
    else:
        classes = _classes(parts[0])
        further = sorted({*_classes(parts[1])} - {*classes})
        if further:
            raise SnapError(f"{parts[1] / further[0]}: no class of {parts[0]}; add training images")
        train, valid = (_labelled(part, classes) for part in parts)
    return Listing(train, valid, classes, _fingerprint(folder, [*train[0], *valid[0]]))


def decode(path: Path, side: int) -> npt.NDArray[np.uint8]:
    """Read an image as (side, side, 3): scale its shorter side, and crop its centre.

    Raises:
        SnapError: the file is no image, or a huge one.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise SnapError(f"{path}: has more than {_MOST_PIXELS:,} pixels; scale it down")
            fitted = ImageOps.fit(image.convert("RGB"), (side, side), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise SnapError(
            f"{path}: no readable image ({reason:.100}); replace or remove it"
        ) from error
    return np.asarray(fitted)


def _classes(folder: Path) -> tuple[str, ...]:
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    classes = tuple(name for name in names if any(_images(folder / name)))
    if not classes:
        raise SnapError(f"{folder}: holds no images in folders; {_LAYOUT}")
    return classes


def _labelled(folder: Path, classes: Sequence[str]) -> tuple[list[Path], list[int]]:
    pairs = [(file, label) for label, name in enumerate(classes) for file in _images(folder / name)]
    return [file for file, _ in pairs], [label for _, label in pairs]


def _images(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file())
        yield from (folder / name for name in names if name.lower().endswith(_SUFFIXES))


def _fingerprint(folder: Path, files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\n".encode())
    return digest.hexdigest()
