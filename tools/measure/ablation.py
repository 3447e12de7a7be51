"""Vary what the paper's ablation varies, and rank NAS-Bench-201 with each (paper, Table 6).

    uv run --all-groups python -m tools.measure.ablation
    uv run --all-groups python -m tools.measure.ablation --mpnet FOLDER

Layers, weight decay, length of the descriptions and size of their vectors, each with each, by the
preset `paper` on the `short` schedule. Vectors of 768 numbers are those of all-mpnet-base-v2, and
are left out unless its folder is named. Takes about a minute a trial on one core, and there are
three of each of 24 settings; a stopped run goes on at the trial it was at.
"""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import pyarrow as pa
from snap_catalog.parquet import read
from snap_encode.models import DEFAULT_MODEL
from snap_eval import kendall_tau_b, spearman
from snap_gcn.model.recipe import members

from tools import printed
from tools.measure.variations import cells, train
from tools.pipeline import prepare
from tools.steps import Figures, figures, made_by

ACCURACY = "cifar10/test/accuracy@200"
_SPACES = ("nb101", "nb201")


class Setting(NamedTuple):
    """What a row of the paper's Table 6 varies."""

    layers: int
    weight_decay: float
    length: str
    size: int


PAPER = dict(
    zip(
        itertools.starmap(
            lambda layers, size, length, decay: Setting(layers, decay, length, size),
            itertools.product((4, 3), (384, 768), ("long", "short"), (1e-4, 1e-5, 1e-6)),
        ),
        (
            *(0.487, 0.401, 0.496, 0.495, 0.454, 0.497),
            *(0.433, 0.421, 0.454, 0.433, 0.421, 0.454),
            *(0.483, 0.566, 0.577, 0.601, 0.599, 0.598),
            *(0.516, 0.557, 0.594, 0.538, 0.545, 0.513),
        ),
        strict=True,
    )
)
"""The paper's Kendall tau of every setting.

Two of its blocks are headed 3, long, 384; the second stands where that of 768 belongs. Those of
4 layers and 768 numbers are equal to the last digit, long and short.
"""
CHOSEN = Setting(3, 1e-4, "short", 384)
"""What the preset `paper` has."""


@click.command()
@click.option("--data", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--work", default="build/gcn/ablation", type=click.Path(path_type=Path))
@click.option("--mpnet", help="Folder of all-mpnet-base-v2, for the vectors of 768 numbers.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(min=2))
def main(data: Path, work: Path, mpnet: str | None, seeds: int) -> None:
    """Train every setting once per seed, and print the table."""
    prepare(data)
    models = {384: DEFAULT_MODEL, **({768: mpnet} if mpnet else {})}
    table, ranked = cells(data), read(data / "nb201.parquet", "graphs")
    found = {}
    for setting in ordered(PAPER):
        if setting.size in models:
            operators = vectors(work, setting, models[setting.size])
            made = partial(trial, table, ranked, operators, setting)
            found[setting] = [
                figures(
                    work / f"{name(setting)}-{seed}.json",
                    [data / "nb101.parquet", data / "nb201.parquet"],
                    [*map(str, setting), str(seed)],
                    partial(made, seed),
                )
                for seed in range(seeds)
            ]
    click.echo(f"preset paper, schedule short, {seeds} seeds; NAS-Bench-201 {ACCURACY},")
    click.echo(f"all {ranked.num_rows:,} cells; mean +- deviation\n")
    click.echo(report(found))


def ordered(settings: Mapping[Setting, float]) -> list[Setting]:
    """Sort settings by the number of things in which they differ from the chosen one."""
    return sorted(settings, key=lambda setting: _differences(setting, CHOSEN))


def _differences(one: Setting, other: Setting) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def name(setting: Setting) -> str:
    """Name a setting's files."""
    return f"{setting.layers}-{setting.weight_decay:.0e}-{setting.length}-{setting.size}"


def vectors(work: Path, setting: Setting, model: str) -> pa.Table:
    """Encode the operators of the spaces trained on and ranked."""
    work.mkdir(parents=True, exist_ok=True)
    made = f"operators-{setting.length}-{setting.size}.parquet"
    spaces = [word for space in _SPACES for word in ("--space", space)]
    how = ["--length", setting.length, "--model", model]
    return read(made_by(["snap-encode", *spaces, *how, "-o", made], work, made), "operators")


def trial(
    table: pa.Table, ranked: pa.Table, operators: pa.Table, setting: Setting, seed: int
) -> Figures:
    """Train once, and correlate the scores of other cells with their accuracy."""
    (paper,) = members("paper", "short")
    recipe = replace(paper, layers=setting.layers, weight_decay=setting.weight_decay)
    scores = train(table, operators, recipe, seed).score(ranked)
    accuracy = ranked[ACCURACY].to_numpy()
    return {"tau": kendall_tau_b(scores, accuracy), "rho": spearman(scores, accuracy)}


def report(found: Mapping[Setting, list[Figures]]) -> str:
    """Write the paper's table with its tau and ours, in the paper's order."""
    head = ["layers", "weight decay", "sentences", "vector", "paper's tau", "tau", "Spearman"]
    return printed.table(head, (_row(setting, found.get(setting)) for setting in PAPER))


def _row(setting: Setting, trials: list[Figures] | None) -> list[str]:
    layers, decay, length, size = setting
    ours = (
        [printed.spread([found[key] for found in trials]) for key in ("tau", "rho")]
        if trials
        else ["not run"] * 2
    )
    return [str(layers), f"{decay:.0e}", length, str(size), printed.short(PAPER[setting]), *ours]


if __name__ == "__main__":
    main()
