"""Record in the bundled predictors what tells how far to trust them.

    uv run tools/calibrate.py

That is the rank correlation on the held-out cells and on the benchmarks of role `develop`, with how
far from training they are. Weights stay as they are. Takes a minute on one core.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
from pipeline import METRIC, prepare
from snap_catalog.parquet import read
from snap_eval import spearman
from snap_gcn import Predictor
from snap_gcn.model.folder import Model, load, save
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.reliability.trust import assess
from snap_gcn.training.cells import held_out

BUNDLE = Path(__file__).parents[1] / "packages/snap-gcn/src/snap_gcn/bundle"
DEVELOP = (
    ("nb201", "cifar10/test/accuracy@200"),
    ("transnas-micro", "class_object/valid/top1"),
    ("transnas-micro", "room_layout/valid/neg_loss"),
    ("darts", "cifar10/valid/accuracy@50"),
)
"""Files and metrics of role `develop`."""


def calibrated(model: Model, work: Path) -> Model:
    """Return a model that knows how it did elsewhere.

    Args:
        model: the model.
        work: folder of the benchmark tables.
    """
    cells = read(work / "nb101.parquet", "graphs")
    predictor = Predictor(model)
    entries = [_entry(predictor, "nb101 (held out)", cells.filter(held_out(cells)), METRIC)]
    for name, metric in DEVELOP:
        entries.append(_entry(predictor, name, read(work / f"{name}.parquet", "graphs"), metric))
    return replace(model, config={**model.config, "calibration": entries})


def _entry(predictor: Predictor, name: str, graphs: pa.Table, metric: str) -> dict[str, Any]:
    graphs = graphs.filter(graphs[metric].is_valid())
    scores = predictor.predict(graphs)
    sign = -1 if graphs.schema.field(metric).metadata[b"direction"] == b"min" else 1
    measured = sign * graphs[metric].to_numpy()
    trust = assess(predictor, graphs, scores)
    return {
        "benchmark": name,
        "metric": metric,
        "n": trust.architectures,
        "novelty": round(trust.novelty, 4),
        "disagreement": trust.disagreement and round(trust.disagreement, 4),
        "spearman": round(spearman(np.asarray(scores["score"]), measured), 4),
    }


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
def main(work: Path) -> None:
    """Calibrate the predictors that snap-gcn bundles."""
    prepare(work)
    for name in BUNDLED:
        model = calibrated(load(BUNDLE / name), work)
        save(model, BUNDLE / name)
        for entry in model.config["calibration"]:
            click.echo(f"{name}: {entry}")


if __name__ == "__main__":
    main()
