"""Measure how often what an adapted model predicts lies within its deviations.

    uv run --all-groups python -m tools.measure.adapted_intervals

Draws 20, 50 and 100 cells of each benchmark of role `develop`, ten times, adapts the predictor to
them, and prints the share of up to 2,500 other cells whose metric lies within one and two
`predicted_std` of `predicted`: mean and standard deviation over the draws. 68 % and 95 % would be
right. Takes two minutes on one core.
"""

from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from snap_gcn import Predictor
from snap_gcn.adaptation.adaptation import Adaptation, Inputs, Scale

from tools import printed
from tools.measure.few_labels import Task, tasks
from tools.pipeline import prepare_develop

Floats = npt.NDArray[np.float64]

_LABELS = (20, 50, 100)
_REST = 2500
"""Cells at most on which the deviations are measured."""


def coverage(task: Task, count: int, draw: int) -> Floats:
    """Return the shares of the rest within one and two deviations, after so many labels."""
    order = np.random.default_rng(draw).permutation(len(task.targets))
    rest = order[max(_LABELS) :][:_REST]
    scale = Scale.of(task.found)
    points, measured = scale(task.found), task.targets[order[:count]]
    adapted = Adaptation.of(Inputs([], []), scale, points.take(order[:count]), measured, less=False)
    found = adapted.in_unit(*adapted.surrogate.predict(points.take(rest)))
    far = np.abs(task.targets[rest] - found.value) / found.std
    return np.array([np.mean(far < 1), np.mean(far < 2)])


def row(task: Task, draws: int) -> list[str]:
    """Return the cells of a table's row."""
    cells = [task.name]
    for count in _LABELS:
        shares = np.array([coverage(task, count, draw) for draw in range(draws)])
        cells += [
            f"{mean:.0%} +- {std:.0%}"
            for mean, std in zip(shares.mean(axis=0), shares.std(axis=0), strict=True)
        ]
    return cells


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--model", default="snap", show_default=True)
@click.option("--draws", default=10, show_default=True, type=click.IntRange(min=1))
def main(work: Path, model: str, draws: int) -> None:
    """Print a table, a row for each benchmark and metric."""
    prepare_develop(work)
    head = [f"{count}: {side}" for count in _LABELS for side in ("1", "2")]
    rows = [row(task, draws) for task in tasks(Predictor.load(model), work)]
    click.echo(printed.table(["labels: deviations", *head], rows))


if __name__ == "__main__":
    main()
