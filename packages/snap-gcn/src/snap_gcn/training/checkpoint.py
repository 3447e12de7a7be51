"""The file from which a stopped training resumes: tensors, with JSON as metadata; no pickles."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from snap_catalog import SnapError
from snap_catalog.checksums import file_sha256
from snap_catalog.parquet import replacing
from torch import Tensor

from snap_gcn.model.recipe import Schedule
from snap_gcn.training import processes
from snap_gcn.training.fit import Fitted

_KEY = "snap.training"
_TENSOR = "tensor"
"""Key of a JSON object that stands for the tensor it names."""


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training, without its data."""

    metric: str  # the metric to regress
    preset: str  # name of the recipe
    schedule: Schedule  # which schedule of it
    seed: int  # of all randomness
    # epochs without a better tau after which a member's training stops; None: never
    patience: int | None = None
    device: str = "cpu"  # `cpu` or `cuda`
    processes: int = 1  # number of processes that share each batch


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of one training."""

    path: Path  # the file
    run: Mapping[str, object]  # the settings and checksums that must be equal to resume

    @classmethod
    def of(cls, path: Path, settings: TrainingSettings, files: Mapping[str, str]) -> "Checkpoint":
        """Identify a training by its settings and the contents of the files that it reads."""
        read = {name: file_sha256(file) for name, file in files.items()}
        return cls(path, {"snap-gcn": version("snap-gcn"), **asdict(settings), **read})

    def begun(self, *, resume: bool) -> list[Fitted]:
        """Return the members of a stopped training to resume; empty if there is no checkpoint.

        Raises:
            SnapError: there is a checkpoint, but `resume` is false, its settings or data differ, or
                its file is damaged.
        """
        if not self.path.exists():
            return []
        if not resume:
            raise SnapError(
                f"{self.path}: a training was stopped here; continue with --resume, or delete it"
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
        """Write the members that are trained or in training, atomically, in the first process.

        Raises:
            SnapError: the file cannot be written.
        """
        if processes.rank() > 0:
            return
        tensors: dict[str, Tensor] = {}
        tree = _without_tensors([asdict(member) for member in members], "", tensors)
        metadata = {_KEY: json.dumps({"run": self.run, "members": tree})}
        with replacing(self.path) as temporary:
            temporary.write_bytes(to_bytes(tensors, metadata))


def _read(path: Path) -> tuple[dict[str, object], list[Fitted]]:
    try:
        with safe_open(path, "pt") as file:
            entry = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        tree = _with_tensors(entry["members"], tensors)
        # JSON has strings as keys only; not strict, msgspec turns them back into numbers.
        return entry["run"], msgspec.convert(tree, list[Fitted], strict=False)
    except (
        SafetensorError,
        msgspec.ValidationError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise SnapError(f"{path}: damaged ({error}); delete it to begin again") from error


def _without_tensors(tree: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Move a tree's tensors to `tensors`, and return the tree with their names."""
    if isinstance(tree, Tensor):
        tensors[name] = tree
        return {_TENSOR: name}
    if isinstance(tree, dict):
        return {k: _without_tensors(value, f"{name}.{k}", tensors) for k, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_without_tensors(value, f"{name}.{i}", tensors) for i, value in enumerate(tree)]
    return tree


def _with_tensors(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Restore the tensors in a tree from `_without_tensors`."""
    if isinstance(tree, list):
        return [_with_tensors(value, tensors) for value in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == {_TENSOR}:
        return tensors[tree[_TENSOR]]
    return {key: _with_tensors(value, tensors) for key, value in tree.items()}
