"""Measure how much of NAS-Bench-101 a predictor needs to rank the rest of it (paper, Figure 6).

    uv run --all-groups python -m tools.measure.training_size

Trains the preset `paper` on 90 % to 1 % of all cells, drawn at random for each seed, and ranks all
others. The schedule is called `steps`: as many steps as the schedule `short` takes, but
no more epochs than the schedule `full` has; the learning rate falls at the same shares of the
training. Takes about a minute a trial on one core; a stopped run goes on at the trial it was at.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import pyarrow as pa
from snap_catalog.parquet import read, replacing
from snap_eval import kendall_tau_b, spearman
from snap_gcn.model.recipe import Recipe, members
from snap_gcn.training.dataset import held_out

from tools import printed
from tools.measure.variations import cells, train
from tools.pipeline import ENCODERS, METRIC, prepare, vectors
from tools.steps import Figures, figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARES = (90, 70, 50, 30, 10, 5, 1)
"""Percent of all cells that are trained on."""
_WATCHED = 1000
"""Of the held-out cells, which are never trained on, so many are watched as training goes on."""
_CURVES = {"rho": ("Spearman's rho", "#1f5fa8"), "tau": ("Kendall's tau", "#b8510d")}


@click.command()
@click.option("--data", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--work", default="build/gcn/training-size", type=click.Path(path_type=Path))
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(min=2))
@click.option("--picture", default="docs/training-size.svg", type=click.Path(path_type=Path))
def main(data: Path, work: Path, seeds: int, picture: Path) -> None:
    """Train on every share once per seed, print the table and draw the curves."""
    prepare(data)
    inputs = [data / "nb101.parquet", data / vectors(ENCODERS["paper"])]
    table, operators = cells(data), read(inputs[1], "operators")
    found = {
        share: [
            figures(
                work / f"{share}-{seed}.json",
                inputs,
                [str(share), str(seed)],
                partial(trial, table, operators, share, seed),
            )
            for seed in range(seeds)
        ]
        for share in sorted(SHARES)
    }
    click.echo(f"preset paper, schedule steps, {seeds} seeds; NAS-Bench-101 {METRIC},")
    click.echo("all cells not trained on; mean +- deviation\n")
    click.echo(report(found))
    draw(found, picture)


def trial(table: pa.Table, operators: pa.Table, share: int, seed: int) -> Figures:
    """Train on a share of the cells, and correlate the scores of the others with their accuracy."""
    held = held_out(table)
    count = min(round(share / 100 * len(held)), int((~held).sum()))
    chosen = np.zeros_like(held)
    chosen[np.random.default_rng(seed).choice(np.flatnonzero(~held), count, replace=False)] = True
    shown = chosen.copy()
    shown[np.flatnonzero(held)[:_WATCHED]] = True
    recipe = steps(count, len(held) - int(held.sum()))
    predictor = train(table.filter(pa.array(shown)), operators, recipe, seed)
    others = table.filter(pa.array(~chosen))
    scores, accuracy = predictor.score(others), others[METRIC].to_numpy()
    rho, tau = spearman(scores, accuracy), kendall_tau_b(scores, accuracy)
    return {"cells": count, "others": len(scores), "epochs": recipe.epochs, "rho": rho, "tau": tau}


def steps(count: int, whole: int) -> Recipe:
    """Return the recipe for a number of cells.

    Args:
        count: cells to train on.
        whole: cells that the schedule `short` takes a fifth of.
    """
    (full,), (short,) = members("paper", "full"), members("paper", "short")
    epochs = min(full.epochs, max(1, round(short.epochs * short.fraction * whole / count)))
    return replace(
        full, epochs=epochs, step_size=max(1, round(full.step_size * epochs / full.epochs))
    )


def report(found: Mapping[int, list[Figures]]) -> str:
    """Write the table behind the picture."""
    head = ["share", "cells trained on", "epochs", "cells ranked", "Spearman", "tau"]
    return printed.table(head, (_row(share, trials) for share, trials in found.items()))


def _row(share: int, trials: list[Figures]) -> list[str]:
    counts = [f"{trials[0][key]:,}" for key in ("cells", "epochs", "others")]
    ours = [printed.spread([found[key] for found in trials]) for key in _CURVES]
    return [f"{share} %", *counts, *ours]


def draw(found: Mapping[int, list[Figures]], path: Path) -> None:
    """Draw both correlations over the share trained on, with bands of one deviation."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.add_subplot(xscale="log", ylim=(0.5, 1))
    for key, (label, colour) in _CURVES.items():
        _curve(axes, found, key, label, colour)
    axes.set_xticks(list(found), [str(share) for share in found])
    axes.minorticks_off()
    axes.set_xlim(0.9, 300)
    axes.grid(axis="y", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("percent of NAS-Bench-101 that is trained on")
    axes.set_ylabel("correlation on the rest")
    with replacing(path) as temporary, rc_context({"svg.hashsalt": "snap"}):
        figure.savefig(temporary, format="svg", metadata={"Date": None})


def _curve(
    axes: "Axes", found: Mapping[int, list[Figures]], key: str, label: str, colour: str
) -> None:
    shares = list(found)
    values = np.array([[found[key] for found in trials] for trials in found.values()])
    middle, deviation = values.mean(axis=1), values.std(axis=1, ddof=1)
    axes.fill_between(shares, middle - deviation, middle + deviation, color=colour, alpha=0.2, lw=0)
    axes.plot(shares, middle, "o-", color=colour, ms=4)
    axes.annotate(
        label,
        (shares[-1], middle[-1]),
        (8, 0),
        textcoords="offset points",
        va="center",
        color=colour,
    )


if __name__ == "__main__":
    main()
