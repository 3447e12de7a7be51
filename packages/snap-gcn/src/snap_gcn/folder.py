"""The model folder: weights, configuration, operator vectors and model card; no pickles."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from snap_catalog import SnapError
from snap_catalog.parquet import read, write
from torch import Tensor

from snap_gcn.card import card
from snap_gcn.learning import draw

_WEIGHTS, _CONFIG, _OPERATORS, _CARD, _CURVE = (
    "model.safetensors",
    "config.json",
    "operators.parquet",
    "README.md",
    "learning.svg",
)
FORMAT = 1


@dataclass(frozen=True)
class Model:
    """What a model folder holds.

    Attributes:
        config: what the model is, what it was trained on and how it did; see `config.json`.
        weights: the tensors of its parts, each name after that of its part: `member.0` and so on
            are networks, `paths` is a `PathModel`.
        operators: rows of the `operators` contract.
    """

    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    operators: pa.Table

    def part(self, name: str) -> dict[str, Tensor]:
        """Return the tensors of one part, by their names in it."""
        prefix = f"{name}."
        named = {k: v for k, v in self.weights.items() if k.startswith(prefix)}
        return {name.removeprefix(prefix): value for name, value in named.items()}

    def member(self, number: int) -> dict[str, Tensor]:
        """Return the state of one member's network."""
        return self.part(_member(number))


def joined(
    states: Sequence[Mapping[str, Tensor]], paths: Mapping[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """Put the states of members' networks, and the tensors of a `PathModel`, into one mapping."""
    parts = {_member(number): state for number, state in enumerate(states)}
    parts["paths"] = paths or {}
    return {f"{part}.{name}": v for part, state in parts.items() for name, v in state.items()}


def _member(number: int) -> str:
    return f"member.{number}"


def check_free(folder: Path) -> None:
    """Refuse a folder that holds anything but a model.

    Raises:
        SnapError: it does.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _CONFIG).is_file():
        raise SnapError(f"{folder}: holds other files; name a new or an empty folder")


def save(model: Model, folder: Path) -> None:
    """Write a model folder, whole or not at all.

    Raises:
        SnapError: the folder exists and holds something else, or cannot be written.
    """
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
            fresh = Path(name) / folder.name
            fresh.mkdir()
            _fill(model, fresh)
            shutil.rmtree(folder, ignore_errors=True)
            fresh.replace(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SnapError(f"{folder}: cannot write here ({reason}); choose another --out") from error


def _fill(model: Model, folder: Path) -> None:
    (folder / _WEIGHTS).write_bytes(to_bytes(dict(model.weights)))
    write(model.operators, folder / _OPERATORS, "operators", producer="snap-gcn")
    files = {name: _sha256(folder / name) for name in (_WEIGHTS, _OPERATORS)}
    config = {"format": FORMAT, **model.config, "sha256": files}
    (folder / _CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    (folder / _CARD).write_text(card(config), "utf-8")
    if "history" in config["training"]:
        draw(config["training"], folder / _CURVE)


def load(folder: Path) -> Model:
    """Read a model folder.

    Raises:
        SnapError: a file is missing, damaged, or not the one that `config.json` vouches for.
    """
    config = _config(folder)
    for name in (_WEIGHTS, _OPERATORS):
        path = folder / name
        if not path.is_file():
            raise SnapError(f"{path}: no such file; a model folder needs it")
        if _sha256(path) != config["sha256"].get(name):
            raise SnapError(
                f"{path}: not the file that {_CONFIG} vouches for; fetch the model anew"
            )
    try:
        weights = load_file(folder / _WEIGHTS)
    except SafetensorError as error:
        raise SnapError(f"{folder / _WEIGHTS}: damaged ({error}); fetch the model anew") from error
    return Model(config, weights, read(folder / _OPERATORS, "operators"))


def _config(folder: Path) -> dict[str, Any]:
    path = folder / _CONFIG
    try:
        config: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SnapError(f"{folder}: no model folder (it has no {_CONFIG})") from error
    except (OSError, ValueError) as error:
        raise SnapError(f"{path}: cannot be read ({error}); fetch the model anew") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise SnapError(f"{path}: not a model of format {FORMAT}; fetch or train one anew")
    return config


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
