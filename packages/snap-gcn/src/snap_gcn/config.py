"""The record of what a model is: `config.json`."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

import pyarrow as pa
from snap_catalog.parquet import decode_metadata

from snap_gcn.fit import Fitted
from snap_gcn.recipe import Schedule, members


def configuration(
    fitted: Sequence[Fitted],
    graphs: pa.Schema,
    operators: pa.Schema,
    *,
    metric: str,
    preset: str,
    schedule: Schedule,
    seed: int,
) -> dict[str, Any]:
    """Record how a predictor was trained, on what, and how it did.

    Loss and tau are means over the members.

    Args:
        fitted: the trained members.
        graphs: schema of the training table; its metadata tells where the data come from.
        operators: schema of the operator table; its metadata names the sentence encoder.
        metric: what was regressed.
        preset: name of the recipe.
        schedule: which schedule of it.
        seed: the seed.
    """
    data, encoder = decode_metadata(graphs), decode_metadata(operators)
    last = [member.history[-1] for member in fitted]
    return {
        "preset": preset,
        "schedule": schedule,
        "seed": seed,
        "members": [asdict(recipe) for recipe in members(preset, schedule)],
        "encoder": {
            "model": encoder["snap.model"],
            "sha256": encoder["snap.model_sha256"],
            "length": encoder.get("snap.length", "own"),
        },
        "training": {
            "benchmark": data.get("snap.benchmark", "own data"),
            "metric": metric,
            "source_sha256": data.get("snap.source_sha256", "unknown"),
            "n_train": fitted[0].n_train,
            "n_validate": fitted[0].n_validate,
            "loss": fmean(epoch.loss for epoch in last),
            "tau": fmean(epoch.tau for epoch in last),
            "seconds": sum(epoch.seconds for member in fitted for epoch in member.history),
        },
        "trained_operators": sorted({key for member in fitted for key in member.trained}),
    }
