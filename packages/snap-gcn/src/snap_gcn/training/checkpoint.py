"""The file from which a stopped training resumes: tensors, with JSON as metadata; no pickles."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

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

        def named(tensor: Tensor) -> dict[str, str]:
            name = str(len(tensors))
            tensors[name] = tensor
            return {_TENSOR: name}

        tree = msgspec.to_builtins(members, enc_hook=named)
        metadata = {_KEY: json.dumps({"run": self.run, "members": tree})}
        with replacing(self.path) as temporary:
            temporary.write_bytes(to_bytes(tensors, metadata))


def _read(path: Path) -> tuple[dict[str, object], list[Fitted]]:
    try:
        with safe_open(path, "pt") as file:
            entry = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        members = msgspec.convert(
            entry["members"],
            list[Fitted],
            strict=False,  # JSON has strings as keys only, which become numbers again
            dec_hook=lambda _, value: tensors[value[_TENSOR]],
        )
        return entry["run"], members
    except (
        SafetensorError,
        msgspec.ValidationError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise SnapError(f"{path}: damaged ({error}); delete it to begin again") from error
