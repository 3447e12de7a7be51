"""Read the arrays of an `.npz` file, which may be hostile, and split off validation images."""

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError
from snap_catalog.errors import excerpt
from snap_catalog.unpacking import damaged, magic, total_limit
from snap_graphs.formats.archives import zip_content

Array = npt.NDArray[Any]
_SPLIT = ("train_images", "train_labels", "valid_images", "valid_labels")
_WHOLE = ("images", "labels")
_KEYS = f"the arrays are {', '.join(_SPLIT)}, or {' and '.join(_WHOLE)}"
_CHANNELS = 3
_MOST_SIDE = 1024
_LEAST_SIDE = 8
_MOST_CLASSES = 100_000
_LARGEST = 1e30
_SEED, _SHARE = 0, 0.2
"""Of the split."""


class LabelledArrays(NamedTuple):
    """Images with labels.

    Attributes:
        images: (n, side, side) or (n, side, side, 3) uint8 or float32.
        labels: (n,) int64, 0 and above.
    """

    images: Array
    labels: Array


def read_arrays(path: Path) -> tuple[LabelledArrays, LabelledArrays]:
    """Read images for training and for validation, of the same type and side.

    If they are not split, a fifth of each class is for validation. Nothing is unpickled.

    Raises:
        SnapError: naming the file, the array and what is wrong with it.
    """
    members = _members(path)
    if members.keys() >= set(_SPLIT):
        train, valid = (
            LabelledArrays(*(members[name] for name in names)) for names in (_SPLIT[:2], _SPLIT[2:])
        )
    elif members.keys() >= set(_WHOLE):
        images, labels = (members[name] for name in _WHOLE)
        _check_pair(path, _WHOLE, images, labels)
        train, valid = (LabelledArrays(images[rows], labels[rows]) for rows in split(labels))
    else:
        has = ", ".join(sorted(members)) or "none"
        raise SnapError(f"{path}: images or labels are missing (it has {has:.200}); {_KEYS}")
    _check_pair(path, _SPLIT[:2], *train)
    _check_pair(path, _SPLIT[2:], *valid)
    if train.images.shape[1:] != valid.images.shape[1:]:
        shapes = f"{train.images.shape[1:]} and {valid.images.shape[1:]}"
        raise SnapError(f"{path}: its training and validation images differ in shape ({shapes})")
    if train.images.dtype.kind != valid.images.dtype.kind:
        raise SnapError(f"{path}: train_images and valid_images differ in type; convert one")
    if valid.labels.max(initial=-1) > train.labels.max(initial=-1):
        raise SnapError(
            f"{path}: no training image has the label {valid.labels.max()} of valid_labels; "
            "number classes from 0"
        )
    return _plain(train), _plain(valid)


def split(labels: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Draw a fifth of every class for validation, always the same images.

    The number is rounded up if a class has several images.

    Args:
        labels: (n,) classes.

    Returns:
        Numbers of the training images, and of the validation images, both ascending.
    """
    random = np.random.default_rng(_SEED)
    apart = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        apart[members[: min(int(np.ceil(_SHARE * len(members))), len(members) - 1)]] = True
    return np.flatnonzero(~apart), np.flatnonzero(apart)


def _plain(part: LabelledArrays) -> LabelledArrays:
    """Return uint8 images unchanged, floating-point ones as float32, and labels as int64."""
    kind = np.uint8 if part.images.dtype.kind == "u" else np.float32
    return LabelledArrays(np.array(part.images, kind, order="C"), part.labels.astype(np.int64))


def _check_pair(path: Path, names: tuple[str, ...], images: Array, labels: Array) -> None:
    _check_images(f"{path}: {names[0]}", images)
    _check_labels(f"{path}: {names[1]}", labels)
    if len(images) != len(labels) or not len(images):
        raise SnapError(
            f"{path}: {names[0]} holds {len(images):,} images and {names[1]} {len(labels):,} "
            "labels; give one label per image"
        )


def _check_images(name: str, images: Array) -> None:
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise SnapError(f"{name} is of type {images.dtype}; give uint8 or float32")
    if images.ndim not in (3, 4) or images.shape[3:] not in ((), (_CHANNELS,)):
        raise SnapError(
            f"{name} has the shape {images.shape}; give (n, side, side) or (n, side, side, 3)"
        )
    if images.shape[1] != images.shape[2] or not _LEAST_SIDE <= images.shape[1] <= _MOST_SIDE:
        raise SnapError(
            f"{name} holds images of {images.shape[1]} x {images.shape[2]}; give square ones of "
            f"{_LEAST_SIDE} to {_MOST_SIDE} pixels"
        )
    if images.dtype.kind != "f":
        return
    most = min(_LARGEST, float(np.finfo(images.dtype).max))
    if not (within := np.abs(images) <= most).all():
        place = int(np.flatnonzero(~within.all(axis=tuple(range(1, images.ndim))))[0])
        raise SnapError(
            f"{name} holds NaN, infinity or numbers beyond {_LARGEST:g}, first in image {place}; "
            "repair or drop it"
        )


def _check_labels(name: str, labels: Array) -> None:
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise SnapError(
            f"{name} is {labels.dtype} of shape {labels.shape}; give whole numbers of shape (n,)"
        )
    wrong = labels[(labels < 0) | (labels >= _MOST_CLASSES)]
    if wrong.size:
        raise SnapError(f"{name} holds {wrong[0]}; number classes from 0 to {_MOST_CLASSES - 1:,}")


def _members(path: Path) -> Mapping[str, Array]:
    """Read the arrays of known names, once the sizes that the archive declares are checked."""
    if not magic(path).startswith(b"PK"):
        raise SnapError(f"{path}: neither a folder nor an .npz file; name one of the two")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if sum(entry.file_size for entry in archive.infolist()) > total_limit(path):
                raise SnapError(
                    f"{path}: unpacks to more than {total_limit(path):,} bytes: refused"
                )
            present = [name for name in (*_SPLIT, *_WHOLE) if f"{name}.npy" in entries]
            return {
                name: _array(
                    f"{path}: {name}",
                    zip_content(path, archive, entries[f"{name}.npy"], total_limit(path)),
                )
                for name in present
            }
    except (SnapError, MemoryError):
        raise
    except Exception as error:  # a damaged archive raises whatever its fields lead to
        raise damaged(path, error) from error


def _array(name: str, content: bytes) -> Array:
    """Read an array in NumPy's format, whose header must fit its content exactly."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, fortran, kind = read(stream)
    except ValueError as error:
        raise SnapError(f"{name} is no array ({excerpt(str(error))}); write it again") from error
    if kind.hasobject:
        raise SnapError(f"{name} holds Python objects, which are not read; store plain numbers")
    expected = math.prod(shape) * kind.itemsize
    if min(shape, default=0) < 0 or len(content) - stream.tell() != expected:
        raise SnapError(f"{name} is not as long as its shape {shape} says; write it again")
    flat = np.frombuffer(content, kind, offset=stream.tell())
    array: Array = flat.reshape(shape, order="F" if fortran else "C")
    return array
