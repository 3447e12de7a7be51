"""The folder that a training writes."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snap_catalog import SnapError
from snap_catalog.parquet import check_writable

from snap_evo.training.checkpoint import (
    State,
    check_replaceable,
    is_finished,
    load_state,
    save_state,
    save_weights,
)
from snap_evo.training.curve import draw_curve, write_curve
from snap_evo.training.job import Job

_CHECKPOINT, _WEIGHTS = "checkpoint.safetensors", "weights.safetensors"
_TABLE, _PICTURE = "curve.csv", "curve.svg"
_AUXILIARY = "auxiliary."


@dataclass(frozen=True)
class Folder:
    """A folder for the files of one training."""

    path: Path

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> "Folder":
        """Make sure, before any work, that a folder exists and takes the files.

        Raises:
            SnapError: it does not, or has files of these names that no training wrote.
        """
        folder = Path(path)
        if not folder.exists():
            check_writable(folder)
            folder.mkdir()
        check_writable(folder / _CHECKPOINT)
        for name in (_CHECKPOINT, _WEIGHTS):
            check_replaceable(folder / name)
        return cls(folder)

    @property
    def checkpoint(self) -> Path:
        """The file that a training goes on from."""
        return self.path / _CHECKPOINT

    def begun(self, job: Job, *, resume: bool) -> State:
        """Return how far a training came that was stopped here; its beginning if none was.

        Args:
            job: the training.
            resume: whether to go on with it.

        Raises:
            SnapError: one was stopped, but it is not to be gone on with or was another one.
        """
        if not self.checkpoint.exists():
            return State()
        if resume:
            return load_state(self.checkpoint, job.facts)
        if not is_finished(self.checkpoint):
            raise SnapError(
                f"{self.checkpoint}: a training was stopped here; go on with --resume, name "
                "another --out, or remove it"
            )
        return State()

    def keep(self, job: Job, state: State) -> None:
        """Write what the training goes on from, and its curve so far."""
        save_state(self.checkpoint, job.facts, state)
        write_curve(state.epochs, self.path / _TABLE)

    def finish(self, job: Job, state: State) -> dict[str, Any]:
        """Write the best weights and the picture of the curve.

        The weights are those of a network built without an auxiliary head.

        Returns:
            What came out, as JSON has it.

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
        draw_curve(state.epochs, self.path / _PICTURE, title=f"{title:.100}")
        return result
