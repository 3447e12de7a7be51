"""The steps that the developer scripts share: each is one of the tools, run in a work folder."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from snap_catalog import operators
from snap_catalog.parquet import decode_metadata, read
from snap_eval import as_measured, as_scorer, correlate, targets
from snap_gcn import Predictor
from snap_gcn.training.dataset import held_out

from tools.steps import made_by

ROOT = Path(__file__).resolve().parents[1]
_BESIDE = ROOT.parent / "shared" / "data"
DATA = Path(os.environ.get("SNAP_SHARED_DATA", _BESIDE)).absolute()
"""Folder of the benchmark tables."""

METRIC = "cifar10/test/accuracy@108"

ENCODERS = {"snap": "snap-minilm", "paper": "all-MiniLM-L6-v2"}
"""The sentence encoder of each preset."""

SCHEDULES = {"snap": "full", "paper": "short"}
"""The schedule on which each preset is trained with several seeds."""

NB101 = "nb101.csv.gz"
"""The table that predictors are trained on, in that folder."""

_TABLES = {
    "nb201": "nb201_cifar10.csv.gz",
    "transnas-micro": "tnb101_micro_2tasks.csv.gz",
    "transnas-macro": "tnb101_macro_2tasks.csv.gz",
    "darts": "darts_cifar10_50ep.csv.gz",
}
_MEASURES = (
    ("nb101", METRIC),
    ("nb201", "cifar10/test/accuracy@200"),
    ("transnas-micro", "class_object/valid/top1"),
    ("transnas-micro", "room_layout/valid/neg_loss"),
    ("darts", "cifar10/valid/accuracy@50"),
    ("transnas-macro", "class_object/valid/top1"),
    ("transnas-macro", "room_layout/valid/neg_loss"),
    ("analog", "cifar10/test/baseline_accuracy"),
)
"""Files and metrics. The first has the role `validate` and counts by its held-out cells, the last
has the role `test`, all others the role `develop`."""


class Figures(NamedTuple):
    """Rank correlations of a predictor on one benchmark."""

    benchmark: str
    metric: str
    role: str
    n: int
    spearman: float
    kendall_tau_b: float


def prepare(work: Path) -> None:
    """Make the tables that training and measuring need."""
    prepare_training(work)
    prepare_develop(work)
    made_by(["snap-graphs", "convert", "nb201", "analog.parquet"], work, "analog.parquet")
    prepare_networks(work)


def prepare_develop(work: Path) -> None:
    """Make the tables of the benchmarks of role `develop`."""
    work.mkdir(parents=True, exist_ok=True)
    for name, table in _TABLES.items():
        command = ["snap-graphs", "convert", name, f"{name}.parquet"]
        made_by([*command, "--source", str(DATA / table)], work, f"{name}.parquet")


def prepare_networks(work: Path) -> None:
    """Trace the networks of timm that were measured on ImageNet."""
    traced = (work / "timm.parquet").absolute()
    module = [sys.executable, "-m", "tools.measure.tracing"]
    made_by([*module, "timm", str(traced)], ROOT, str(traced))


def prepare_training(work: Path, data: Path = DATA) -> None:
    """Make the tables that training needs: NAS-Bench-101, and vectors of operators."""
    work.mkdir(parents=True, exist_ok=True)
    spaces = [word for name in operators() for word in ("--space", name)]
    for model in ENCODERS.values():
        made = vectors(model)
        made_by(["snap-encode", *spaces, "--model", model, "-o", made], work, made)
    convert = ["snap-graphs", "convert", "nb101", "nb101.parquet"]
    made_by([*convert, "--source", str((data / NB101).absolute())], work, "nb101.parquet")


def fit(
    work: Path, out: str, preset: str, schedule: str, seed: int, operators: str | None = None
) -> Path:
    """Train a predictor on NAS-Bench-101 and return its model folder.

    Args:
        work: the work folder.
        out: the model folder to make there.
        preset: which recipe.
        schedule: which schedule of it.
        seed: of all randomness.
        operators: the operators' vectors; those by the preset's encoder if None.
    """
    read_by = operators or vectors(ENCODERS[preset])
    command = ["snap-gcn", "fit", "nb101.parquet", "--operators", read_by]
    command += ["--metric", METRIC, "--preset", preset, "--schedule", schedule]
    return made_by([*command, "--seed", str(seed), "--out", out, "--resume"], work, out)


def tune(work: Path, loss: str, seed: int) -> Path:
    """Tune an encoder and return its folder."""
    name = f"{loss}-{seed}"
    command = ["snap-encode", "tune", "--out", name, "--loss", loss, "--seed", str(seed)]
    return made_by([*command, "--resume"], work, name)


def vectors(encoder: str) -> str:
    """Name the file of the operators' vectors by an encoder."""
    return f"operators-{encoder}.parquet"


def seeded(work: Path, preset: str, seeds: int) -> list[Predictor]:
    """Train a preset once per seed, on its schedule in `SCHEDULES`, and load the predictors."""
    schedule = SCHEDULES[preset]
    names = {seed: f"{preset}-{schedule}-{seed}" for seed in range(seeds)}
    models = [fit(work, name, preset, schedule, seed) for seed, name in names.items()]
    return [Predictor.load(model) for model in models]


def measure(work: Path, model: Path) -> list[Figures]:
    """Correlate a predictor's scores with what the benchmarks measured.

    Of NAS-Bench-101 the held-out cells count, of the others all.
    """
    predictor = Predictor.load(model)
    figures = []
    for name, metric in _MEASURES:
        graphs = read(work / f"{name}.parquet", "graphs")
        held = name == "nb101"
        if held:
            graphs = graphs.filter(held_out(graphs))
        table = correlate(
            [as_scorer(predictor.predict(graphs))],
            targets([as_measured(graphs)], [metric]),
            statistics=["spearman", "kendall_tau_b"],
            populations=["all"],
            bootstrap=0,
        )
        overall = {row["statistic"]: row for row in table.to_pylist()}
        rho, tau = overall["spearman"], overall["kendall_tau_b"]
        benchmark = decode_metadata(graphs.schema)["snap.benchmark"]
        role = "validate" if held else rho["role"]
        figures.append(Figures(benchmark, metric, role, rho["n"], rho["value"], tau["value"]))
    return figures
