"""The folder of files that a training writes."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from snap_catalog import SnapError
from snap_catalog.parquet import check_writable, make_folder

from snap_evo.csv_files import write_csv
from snap_evo.pictures import draw_learning
from snap_evo.training.checkpoint import (
    Epoch,
    State,
    check_replaceable,
    is_finished,
    load_state,
    save_state,
    save_weights,
)
from snap_evo.training.job import Job

_CHECKPOINT, _WEIGHTS = "checkpoint.safetensors", "weights.safetensors"
_TABLE, _PICTURE = "curve.csv", "curve.svg"
_AUXILIARY = "auxiliary."


@dataclass(frozen=True)
class Folder:
    """The folder of one training."""

    path: Path

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> "Folder":
        """Create a folder if it is missing, and check that the files can be written.

        Raises:
            SnapError: they cannot, or files of these names were not written by a training.
        """
        folder = make_folder(path)
        check_writable(folder / _CHECKPOINT)
        for name in (_CHECKPOINT, _WEIGHTS):
            check_replaceable(folder / name)
        return cls(folder)

    @property
    def checkpoint(self) -> Path:
        """The file that a training resumes from."""
        return self.path / _CHECKPOINT

    def begun(self, job: Job, *, resume: bool) -> State:
        """Return the state of a training that was stopped here, or the initial state.

        Raises:
            SnapError: a training was stopped here that is another one or must not be resumed.
        """
        if not self.checkpoint.exists():
            return State()
        if resume:
            return load_state(self.checkpoint, job.facts)
        if not is_finished(self.checkpoint):
            raise SnapError(
                f"{self.checkpoint}: a training was stopped here; add --resume, name another "
                "--out, or remove it"
            )
        return State()

    def keep(self, job: Job, state: State) -> None:
        """Write the checkpoint and the learning curve so far."""
        save_state(self.checkpoint, job.facts, state)
        write_csv(self.path / _TABLE, Epoch._fields, state.epochs)

    def finish(self, job: Job, state: State) -> dict[str, Any]:
        """Write the best weights, without those of the auxiliary head, and the learning curve.

        Returns:
            The results, for JSON.

        Raises:
            SnapError: a file cannot be written.
        """
        best, last = state.best_epoch, state.epochs[-1]
        result = {
            "space": job.architecture.space,
            "arch_id": job.architecture.arch_id,
            "accuracy": best.valid_accuracy,
            "epoch": best.epoch,
            "last_accuracy": last.valid_accuracy,
            "epochs": last.epoch,
            "seconds": round(sum(epoch.seconds for epoch in state.epochs), 3),
            "weights": str(self.path / _WEIGHTS),
        }
        weights = {n: t for n, t in state.best.items() if not n.startswith(_AUXILIARY)}
        facts = {
            **job.facts,
            **job.data.normalisation._asdict(),
            "class_names": job.data.classes,
            "accuracy": best.valid_accuracy,
            "epoch": best.epoch,
        }
        save_weights(self.path / _WEIGHTS, weights, facts)
        title = f"{job.architecture.space} {job.architecture.arch_id}"
        _, _, train, valid, accuracy, _ = np.array(state.epochs, np.float64).T
        draw_learning(train, valid, accuracy, self.path / _PICTURE, title=f"{title:.100}")
        return result
