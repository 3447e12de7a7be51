"""The record of what a model is: `config.json`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import pyarrow as pa
from snap_catalog.parquet import decode_metadata

from snap_gcn.fit import Epoch, Fitted
from snap_gcn.recipe import PRESETS, Schedule, members


@dataclass(frozen=True)
class Settings:
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


def configuration(
    fitted: Sequence[Fitted], graphs: pa.Schema, operators: pa.Schema, settings: Settings
) -> dict[str, Any]:
    """Record how a predictor was trained, on what, and how it did.

    Loss and tau are those of the epochs kept, means over the members.

    Args:
        fitted: the trained members.
        graphs: schema of the training table; its metadata tells where the data come from.
        operators: schema of the operator table; its metadata names the sentence encoder.
        settings: what was chosen.
    """
    data, encoder = decode_metadata(graphs), decode_metadata(operators)
    recipes = members(settings.preset, settings.schedule)
    return {
        "preset": settings.preset,
        "schedule": settings.schedule,
        "seed": settings.seed,
        "members": [asdict(recipe) for recipe in recipes],
        "paths": PRESETS[settings.preset].paths,
        "encoder": {
            "model": encoder["snap.model"],
            "sha256": encoder["snap.model_sha256"],
            "length": encoder.get("snap.length", "own"),
        },
        "training": {
            "benchmark": data.get("snap.benchmark", "own data"),
            "metric": settings.metric,
            "source_sha256": data.get("snap.source_sha256", "unknown"),
            "n_train": fitted[0].n_train,
            "n_validate": fitted[0].n_validate,
            "patience": settings.patience,
            "device": settings.device,
            "processes": settings.processes,
            "loss": fmean(member.epoch.loss for member in fitted),
            "tau": fmean(member.epoch.tau for member in fitted),
            "seconds": sum(epoch.seconds for member in fitted for epoch in member.history),
            "kept": [member.kept for member in fitted],
            "history": [_curves(member.history) for member in fitted],
        },
        "trained_operators": sorted({key for member in fitted for key in member.trained}, key=str),
    }


def _curves(history: Sequence[Epoch]) -> dict[str, list[float]]:
    return {
        "loss": [epoch.loss for epoch in history],
        "tau": [epoch.tau for epoch in history],
    }
