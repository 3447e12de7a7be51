"""The settings of proxies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from snap_catalog import SnapError

_LEAST: Mapping[str, int] = {
    "batch": 2,
    "batches": 2,
    "seed": 0,
    "repeats": 1,
    "image": 8,
    "layers": 1,
    "channels": 8,
    "classes": 2,
}
_IN_SPECS: Mapping[str, str] = {
    **{name: name for name in _LEAST if name != "image"},
    "input": "image",
    "images": "images",
}
"""By the name in a spec the field; `input` is the side of the images, as in `train:DATA`."""


@dataclass(frozen=True)
class Settings:
    """The settings of proxies.

    Attributes:
        batch: images in a batch; 64, as in NAS-Bench-Suite-Zero.
        batches: batches that `zico` compares gradients of.
        seed: of initial weights, images, labels and random directions.
        repeats: number of successive seeds, over which scores are averaged.
        images: a folder of images or an `.npz` of arrays, read as by `snap-evo train`; Gaussian
            noise with random labels if None.
        image: side of the images in pixels; like the next three, that of the space's benchmark or
            of the images if None.
        layers: number of cells.
        channels: channels of the first cells.
        classes: outputs of the classifier.
    """

    batch: int = 64
    batches: int = 2
    seed: int = 0
    repeats: int = 1
    images: str | None = None
    image: int | None = None
    layers: int | None = None
    channels: int | None = None
    classes: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that are too small.

        Raises:
            SnapError: naming the setting.
        """
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                shown = next(word for word, field in _IN_SPECS.items() if field == name)
                raise SnapError(f"{shown} is {value} and must be at least {least}")

    @property
    def seeds(self) -> range:
        """The seeds to average scores over."""
        return range(self.seed, self.seed + self.repeats)

    def of_seed(self, seed: int) -> "Settings":
        """Return the same settings for one seed."""
        return replace(self, seed=seed, repeats=1)


def parse_settings(texts: Sequence[str]) -> Settings:
    """Read settings, as in `proxy:NAMES,SETTING=VALUE...`.

    Raises:
        SnapError: a setting is unknown, or its value is wrong.
    """
    settings: dict[str, int | str] = {}
    for text in texts:
        name, value = _setting(text)
        if name in settings:
            raise SnapError(f"the setting {text.partition('=')[0]} is given twice; give it once")
        settings[name] = value
    return Settings(**settings)  # type: ignore[arg-type]


def _setting(text: str) -> tuple[str, int | str]:
    name, _, value = text.partition("=")
    if name not in _IN_SPECS or not value:
        raise SnapError(
            f"cannot read the setting {text!r:.80} of a proxy; write NAME=VALUE with one of "
            f"{', '.join(_IN_SPECS)}"
        )
    if name == "images":
        return name, value
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise SnapError(
            f"{name}={value:.40}: give a whole number of at least {_LEAST[_IN_SPECS[name]]}"
        )
    return _IN_SPECS[name], int(value)
