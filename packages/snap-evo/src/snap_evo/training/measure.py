"""The measurer `train`, which trains architectures for a short time."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.extras import require
from snap_graphs import Space

from snap_evo.architecture import Architecture
from snap_evo.measuring.interfaces import Outcome
from snap_evo.training.recipe import Recipe, read_augmentations

if TYPE_CHECKING:
    from snap_evo.training.data import Data

EPOCHS = 10
"""The default, a short training."""


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
            raise ValueError(f"give a whole number from {least} on")
        return int(text)

    return read


def _positive(text: str) -> float:
    if not 0 < (number := float(text)) < math.inf:
        raise ValueError("give a number above 0")
    return number


_SETTINGS: Mapping[str, Callable[[str], Any]] = {
    "epochs": _whole(1),
    "batch-size": _whole(2),
    "learning-rate": _positive,
    "augment": read_augmentations,
    "layers": _whole(1),
    "channels": _whole(8),
    "input": _whole(8),
    "seed": _whole(0),
}
"""By name of the option of `snap-evo train` what reads its value."""


def measurer(data: str, space: Space) -> "TrainingMeasurer":
    """Make the measurer `train:DATA[,NAME=VALUE...]`.

    Args:
        data: a folder of images or an `.npz` of arrays, and settings named as the options of
            `snap-evo train`: `digits.npz,epochs=20,augment=crop`.
        space: the space of the architectures; its code may be imported.

    Raises:
        SnapError: there are no such data or settings, or a package or a permission is missing.
    """
    require("snap-evo[train]", "torch", "safetensors", "PIL")
    if space.withheld_code:
        raise SnapError(space.withheld_code)
    path, *settings = data.split(",")
    if not Path(path).exists():
        raise SnapError(f"{path}: no such file or folder; name the data as in train:digits.npz")
    given = dict(_setting(data, setting) for setting in settings)
    return TrainingMeasurer(space, path, given)


def _setting(data: str, text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name not in _SETTINGS:
        raise SnapError(
            f"train:{data:.80}: no setting {name!r:.40}; there are {', '.join(_SETTINGS)}"
        )
    try:
        return "image" if name == "input" else name.replace("-", "_"), _SETTINGS[name](value)
    except ValueError as error:
        raise SnapError(f"train:{data:.80}: {name} = {value!r:.40}: {error}") from error


class TrainingMeasurer:
    """Trains the network of an architecture, and returns its accuracy after the last epoch.

    Attributes:
        metric: validation accuracy in percent, named after the data.
        direction: `max`.
    """

    direction: Direction = "max"

    def __init__(self, space: Space, path: str, settings: Mapping[str, Any]) -> None:
        """Take the settings of all trainings."""
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(path).resolve().stem) or "data"
        self.metric = f"{name}/valid/accuracy"
        self._space, self._path = space, path
        recipe = {field.name for field in fields(Recipe)}
        self._recipe = {"epochs": EPOCHS} | {n: v for n, v in settings.items() if n in recipe}
        self._network = {n: v for n, v in settings.items() if n not in recipe}
        self._data: Data | None = None

    def measure(self, graph: pa.Table, folder: Path) -> Outcome:
        """Train an architecture, resuming an earlier attempt in the folder.

        The folder receives the files of `snap-evo train`.

        Raises:
            SnapError: the data are damaged.
        """
        from snap_evo.training.job import Job
        from snap_evo.training.output import Folder

        cell = self._space.parse(str(graph["arch_id"][0]))
        architecture = Architecture.of(self._space, cell)
        job = Job.of(architecture, self._data or self._path, self._recipe, **self._network)
        self._data = job.data
        files = Folder.of(folder)
        state = files.begun(job, resume=True)
        try:
            state = job.train(state, lambda state: files.keep(job, state), quiet=True)
        except SnapError as error:
            return Outcome(None, note=str(error))
        files.finish(job, state)
        return Outcome(state.epochs[-1].valid_accuracy)
