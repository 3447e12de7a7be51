"""The record of what a model is: `config.json`."""

from dataclasses import asdict
from typing import Any

import pyarrow as pa
from snap_catalog.parquet import decode_metadata

from snap_gcn.fit import Fitted
from snap_gcn.recipe import Schedule, recipe


def configuration(
    fitted: Fitted,
    graphs: pa.Schema,
    operators: pa.Schema,
    *,
    metric: str,
    preset: str,
    schedule: Schedule,
    seed: int,
) -> dict[str, Any]:
    """Record how a predictor was trained, on what, and how it did.

    Args:
        fitted: the trained predictor.
        graphs: schema of the training table; its metadata tells where the data come from.
        operators: schema of the operator table; its metadata names the sentence encoder.
        metric: what was regressed.
        preset: name of the recipe.
        schedule: which schedule of it.
        seed: the seed.
    """
    data, encoder = decode_metadata(graphs), decode_metadata(operators)
    last = fitted.history[-1]
    return {
        "preset": preset,
        "schedule": schedule,
        "seed": seed,
        "recipe": asdict(recipe(preset, schedule)),
        "encoder": {
            "model": encoder["snap.model"],
            "sha256": encoder["snap.model_sha256"],
            "length": encoder.get("snap.length", "own"),
        },
        "training": {
            "benchmark": data.get("snap.benchmark", "own data"),
            "metric": metric,
            "source_sha256": data.get("snap.source_sha256", "unknown"),
            "n_train": fitted.n_train,
            "n_validate": fitted.n_validate,
            "loss": last.loss,
            "tau": last.tau,
            "seconds": sum(epoch.seconds for epoch in fitted.history),
        },
        "trained_operators": fitted.trained,
    }
