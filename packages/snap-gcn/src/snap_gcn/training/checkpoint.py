"""The file from which a stopped training goes on: tensors, and JSON as its metadata; no pickles."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from snap_catalog import SnapError
from snap_catalog.parquet import replacing
from torch import Tensor

from snap_gcn.model.recipe import Schedule
from snap_gcn.training import processes
from snap_gcn.training.fit import Epoch, Fitted, Rest

_KEY = "snap.training"
_TENSOR = "tensor"
"""Key of a mapping that stands in JSON for the tensor it names."""


@dataclass(frozen=True)
class Run:
    """What is chosen about a training, its data aside.

    Attributes:
        metric: what is regressed.
        preset: name of the recipe.
        schedule: which schedule of it.
        seed: of all randomness.
        patience: epochs without a better tau after which a member's training stops; None: never.
        device: `cpu` or `cuda`.
        processes: among how many a batch is shared.
    """

    metric: str
    preset: str
    schedule: Schedule
    seed: int
    patience: int | None = None
    device: str = "cpu"
    processes: int = 1


@dataclass(frozen=True)
class Checkpoint:
    """The file of one training.

    Attributes:
        path: the file.
        run: what the training depends on.
    """

    path: Path
    run: Mapping[str, object]

    @classmethod
    def of(cls, path: Path, run: Run, files: Mapping[str, str]) -> "Checkpoint":
        """Name the file of a training by what was chosen and the files that it reads."""
        read = {name: _sha256(file) for name, file in files.items()}
        return cls(path, {"snap-gcn": version("snap-gcn"), **asdict(run), **read})

    def begun(self, *, resume: bool) -> list[Fitted]:
        """Return the members that a stopped training left; none where there was none.

        Args:
            resume: whether to go on with it.

        Raises:
            SnapError: there was one, but it is not to be gone on with, depended on something else,
                or its file is damaged.
        """
        if not self.path.exists():
            return []
        if not resume:
            raise SnapError(
                f"{self.path}: a training was stopped here; go on with --resume, or delete it"
            )
        begun, members = _read(self.path)
        other = [
            f"{key} {begun.get(key)}, not {value}"
            for key, value in self.run.items()
            if begun.get(key) != value
        ]
        if other:
            raise SnapError(
                f"{self.path}: begun with {'; '.join(other)}; give the same, or delete it"
            )
        return members

    def save(self, members: Sequence[Fitted]) -> None:
        """Write the members that are trained or in training, whole or not at all.

        Of several processes, the first writes.

        Raises:
            SnapError: the file cannot be written.
        """
        if processes.rank() > 0:
            return
        tensors: dict[str, Tensor] = {}
        told = _apart([asdict(member) for member in members], "", tensors)
        metadata = {_KEY: json.dumps({"run": self.run, "members": told})}
        with replacing(self.path) as temporary:
            temporary.write_bytes(to_bytes(tensors, metadata))


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> tuple[dict[str, object], list[Fitted]]:
    try:
        with safe_open(path, "pt") as file:
            told = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return told["run"], [_fitted(entry) for entry in _together(told["members"], tensors)]
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise SnapError(f"{path}: damaged ({error}); delete it to begin anew") from error


def _apart(tree: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Move a tree's tensors into `tensors`, and return what is left."""
    if isinstance(tree, Tensor):
        tensors[name] = tree
        return {_TENSOR: name}
    if isinstance(tree, dict):
        return {key: _apart(value, f"{name}.{key}", tensors) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_apart(value, f"{name}.{i}", tensors) for i, value in enumerate(tree)]
    return tree


def _together(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Put the tensors back into what `_apart` returned."""
    if isinstance(tree, list):
        return [_together(value, tensors) for value in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == {_TENSOR}:
        return tensors[tree[_TENSOR]]
    return {key: _together(value, tensors) for key, value in tree.items()}


def _fitted(entry: dict[str, Any]) -> Fitted:
    history = [Epoch(*values) for values in entry.pop("history")]
    trained = [(space, name) for space, name in entry.pop("trained")]
    rest = entry.pop("rest")
    return Fitted(**entry, history=history, trained=trained, rest=rest and _rest(rest))


def _rest(entry: dict[str, Any]) -> Rest:
    # JSON has no keys but text.
    optimiser = entry.pop("optimiser")
    state = {int(number): value for number, value in optimiser["state"].items()}
    return Rest(**entry, optimiser={**optimiser, "state": state})
