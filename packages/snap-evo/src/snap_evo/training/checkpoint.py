"""The files of a training, without pickles: its checkpoint, and its best weights."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from snap_catalog import SnapError
from snap_catalog.parquet import replacing
from snap_catalog.replaceable import check_regular, refusal
from torch import Tensor

Tensors = Mapping[str, Tensor]
_KEY = "snap.training"
_DAMAGES = (SafetensorError, OSError, KeyError, TypeError, ValueError)
_PARTS = ("network", "optimiser", "best")


class Epoch(NamedTuple):
    """The results of an epoch.

    Attributes:
        epoch: its number, from 1.
        learning_rate: of its steps.
        train_loss: mean over its steps.
        valid_loss: mean over the validation images, after the epoch.
        valid_accuracy: in percent, after the epoch.
        seconds: its time, validation included.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    valid_loss: float
    valid_accuracy: float
    seconds: float


@dataclass
class State:
    """The state of a training.

    Attributes:
        epochs: the finished epochs.
        network: weights and statistics after the last one.
        optimiser: its tensors, by number of the parameter and name of the entry, `NUMBER.NAME`.
        best: weights and statistics after the epoch with the best validation accuracy, the first
            of equals.
    """

    epochs: list[Epoch] = field(default_factory=list)
    network: Tensors = field(default_factory=dict)
    optimiser: Tensors = field(default_factory=dict)
    best: Tensors = field(default_factory=dict)

    @property
    def best_epoch(self) -> Epoch:
        """The epoch of `best`."""
        return max(self.epochs, key=lambda epoch: epoch.valid_accuracy)


def save_state(path: Path, run: Mapping[str, Any], state: State) -> None:
    """Write a checkpoint atomically."""
    parts = [part for part in _PARTS if part != "best" or state.best is not state.network]
    tensors = {
        f"{part}.{name}": tensor for part in parts for name, tensor in getattr(state, part).items()
    }
    save_weights(path, tensors, {"run": run, "epochs": [epoch._asdict() for epoch in state.epochs]})


def load_state(path: Path, run: Mapping[str, Any]) -> State:
    """Read the checkpoint of a training with the same settings.

    Raises:
        SnapError: its settings differ, or the file is damaged, for example with more
            epochs than the training has.
    """
    try:
        content = read_content(path)
        begun = dict(content["run"])
        epochs = [msgspec.convert([*Epoch(**epoch)], Epoch) for epoch in content["epochs"]]
        parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118
                part, _, rest = name.partition(".")
                parts[part][rest] = file.get_tensor(name)
    except _DAMAGES as error:
        raise SnapError(f"{path}: damaged ({error}); remove it to start over") from error
    other = [
        f"{k} {begun.get(k)}, not {value}" for k, value in run.items() if begun.get(k) != value
    ]
    if other:
        raise SnapError(f"{path}: begun with {'; '.join(other)}; give the same, or another --out")
    _check_length(path, len(epochs), run["epochs"])
    return State(epochs, parts["network"], parts["optimiser"], parts["best"] or parts["network"])


def is_finished(path: Path) -> bool:
    """Return whether the training of a checkpoint is finished."""
    try:
        content = read_content(path)
        done, asked = len(content["epochs"]), int(content["run"]["epochs"])
    except _DAMAGES as error:
        raise SnapError(f"{path}: damaged ({error}); remove it to start over") from error
    _check_length(path, done, asked)
    return done == asked


def _check_length(path: Path, done: int, asked: int) -> None:
    """Refuse more epochs than the training has."""
    if done > asked:
        raise SnapError(
            f"{path}: damaged ({done:,} epochs of a training of {asked:,}); remove it to start over"
        )


def check_replaceable(path: Path) -> None:
    """Check that a file may be replaced.

    Raises:
        SnapError: no training wrote it.
    """
    check_regular(path)
    if not path.exists():
        return
    try:
        read_content(path)
    except _DAMAGES as error:
        raise refusal(path) from error


def read_content(path: Path) -> dict[str, Any]:
    """Return the JSON of a file, without reading its tensors.

    Raises:
        SafetensorError, OSError, KeyError, TypeError, ValueError: no training wrote it.
    """
    with safe_open(path, "pt") as file:
        content: dict[str, Any] = json.loads(file.metadata()[_KEY])
    return content


def save_weights(path: Path, weights: Tensors, facts: Mapping[str, Any]) -> None:
    """Write tensors, with facts about them as JSON, atomically."""
    apart = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    with replacing(path) as temporary:
        save_file(apart, temporary, {_KEY: json.dumps(facts)})
