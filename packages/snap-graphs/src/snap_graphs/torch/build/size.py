"""Determine the sizes of the networks of cells."""

from collections.abc import Mapping
from typing import NamedTuple, TypedDict, Unpack

from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.spaces import Space
from snap_graphs.spaces.custom import CustomSpace


class Size(NamedTuple):
    """The size of a network.

    Attributes:
        layers: number of searched cells; in `transnas-macro`, of residual blocks per module.
        channels: channels of the first cells; they double when the side is halved.
        classes: outputs of the classifier.
        image: side of the square images in pixels.
    """

    layers: int
    channels: int
    classes: int
    image: int


class Numbers(TypedDict, total=False):
    """Fields of `Size` given by a user; None means that a field is not given."""

    layers: int | None
    channels: int | None
    classes: int | None
    image: int | None


PUBLISHED: Mapping[str, Size] = {
    "nb101": Size(9, 128, 10, 32),
    "nb201": Size(15, 16, 10, 32),
    "transnas-micro": Size(10, 64, 75, 224),
    "transnas-macro": Size(2, 64, 75, 224),
    "darts": Size(20, 36, 10, 32),
    "nds": Size(20, 36, 10, 32),
}
"""Sizes of the networks trained by the benchmarks, by space. NDS varies; DARTS's size is used."""

_STAGES = {"nb101": 3, "nb201": 3, "transnas-micro": 5, "transnas-macro": 1}
"""Number of stages with equally many cells, by space; genotypes have reduction cells instead."""
_FEWEST_GENOTYPE_LAYERS = 3
_LEAST = Size(1, 8, 1, 8)
"""Minimum size; stems halve channels, and up to five vertices share them."""


def network_size(space: str, **given: Unpack[Numbers]) -> Size:
    """Return the size of the benchmark's network, with the given fields replaced.

    Raises:
        SnapError: the space has no known network, or the network cannot have that size.
    """
    if space not in PUBLISHED:
        raise SnapError(
            f"no network is known around a cell of {space!r:.60}, only of {', '.join(PUBLISHED)}"
        )
    stated = {name: value for name, value in given.items() if value is not None}
    size = PUBLISHED[space]._replace(**stated)  # type: ignore[arg-type]
    _check(space, size)
    return size


def _check_least(size: Size) -> None:
    for name, least in _LEAST._asdict().items():
        value = getattr(size, name)
        if value < least:
            raise SnapError(f"{name} is {value} and must be at least {least}")


def architecture_size(space: Space, cell: Cell, **given: Unpack[Numbers]) -> Size:
    """Return the size of the benchmark's or user-defined network, with the given fields replaced.

    Args:
        space: the space.
        cell: the architecture.
        given: fields of `Size`; a user-defined skeleton sets `layers` and `channels`.

    Raises:
        SnapError: the space has no known network, the network cannot have that size, or a field is
            given that the skeleton sets.
    """
    if not isinstance(space, CustomSpace):
        return network_size(space.name, **given)
    if given.get("layers") is not None or given.get("channels") is not None:
        raise SnapError(
            f"layers and channels of {space.name} are set by the skeleton in "
            f"{space.definition.source}; change them there"
        )
    skeleton, stages = space.skeleton, space.stages(space.design(cell))
    classes, image = given.get("classes"), given.get("image")
    size = Size(
        sum(stage.repeats for stage in stages),
        skeleton.stem,
        skeleton.classes if classes is None else classes,
        skeleton.image if image is None else image,
    )
    _check_least(size._replace(channels=_LEAST.channels))
    return size


def _check(space: str, size: Size) -> None:
    _check_least(size)
    stages = _STAGES.get(space, 1)
    if size.layers % stages:
        raise SnapError(
            f"{size.layers} layers do not make the {stages} equal stages of {space}; "
            f"give a multiple of {stages}"
        )
    if space not in _STAGES and size.layers < _FEWEST_GENOTYPE_LAYERS:
        raise SnapError(
            f"{size.layers} layers leave no room for two reduction cells; "
            f"give {_FEWEST_GENOTYPE_LAYERS} or more"
        )
