"""The steps that the developer scripts share: each is one of the tools, run in a work folder."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from snap_catalog import operators
from snap_catalog.parquet import decode_metadata, read
from snap_eval import correlate
from snap_gcn import Predictor

DATA = Path(os.environ.get("SNAP_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
"""Folder of the benchmark tables."""

METRIC = "cifar10/test/accuracy@108"

_TABLES = {
    "nb201": "nb201_cifar10.csv.gz",
    "transnas-micro": "tnb101_micro_2tasks.csv.gz",
    "darts": "darts_cifar10_50ep.csv.gz",
}
_MEASURES = (
    ("nb201", "cifar10/test/accuracy@200"),
    ("transnas-micro", "class_object/valid/top1"),
    ("transnas-micro", "room_layout/valid/neg_loss"),
    ("darts", "cifar10/valid/accuracy@50"),
    ("analog", "cifar10/test/baseline_accuracy"),
)
"""Files and metrics; all but the last, of role `test`, have the role `develop`."""


class Figures(NamedTuple):
    """Rank correlations of a predictor on one benchmark, over all its cells."""

    benchmark: str
    metric: str
    role: str
    n: int
    spearman: float
    kendall_tau_b: float


def run(work: Path, made: str, command: Sequence[str]) -> Path:
    """Run a tool in the work folder, unless the file or folder it makes is there already."""
    if not (work / made).exists():
        print("$", *command, flush=True)
        subprocess.run(command, cwd=work, check=True)
    return work / made


def prepare(work: Path) -> None:
    """Make the tables that training and measuring need."""
    work.mkdir(parents=True, exist_ok=True)
    spaces = [word for name in operators() for word in ("--space", name)]
    run(work, "operators.parquet", ["snap-encode", *spaces, "-o", "operators.parquet"])
    convert = ["snap-graphs", "convert"]
    source = ["--source", str(DATA / "nb101.csv.gz")]
    run(work, "nb101.parquet", [*convert, "nb101", "nb101.parquet", *source])
    for name, table in _TABLES.items():
        source = ["--source", str(DATA / table)]
        run(work, f"{name}.parquet", [*convert, name, f"{name}.parquet", *source])
    run(work, "analog.parquet", [*convert, "nb201", "analog.parquet"])


def fit(work: Path, out: str, preset: str, schedule: str, seed: int) -> Path:
    """Train a predictor on NAS-Bench-101 and return its model folder."""
    command = ["snap-gcn", "fit", "nb101.parquet", "--operators", "operators.parquet"]
    command += ["--metric", METRIC, "--preset", preset, "--schedule", schedule]
    return run(work, out, [*command, "--seed", str(seed), "--out", out])


def measure(work: Path, model: Path) -> list[Figures]:
    """Correlate a predictor's scores with what the benchmarks measured, over all cells."""
    predictor = Predictor.load(model)
    figures = []
    for name, metric in _MEASURES:
        graphs = read(work / f"{name}.parquet", "graphs")
        scores = predictor.predict(graphs)
        rows = correlate(scores, graphs, metric, bootstrap=0).to_pylist()
        overall = {row["statistic"]: row for row in rows if row["population"] == "all"}
        rho, tau = overall["spearman"], overall["kendall_tau_b"]
        benchmark = decode_metadata(graphs.schema)["snap.benchmark"]
        figures.append(
            Figures(benchmark, metric, rho["role"], rho["n"], rho["value"], tau["value"])
        )
    return figures
