"""Count the trainings until searches find the best architectures of measured tables.

    uv run --all-groups python -m tools.measure.found

Replays searches that measure on the benchmarks of role `develop`, one architecture after another,
with 20 seeds each, and prints the median number of trainings until the best of a table, or the best
0.1 %, were found, with quartiles. Architectures that compute the same are trained once. Takes an
hour on one core; --algorithms and --tasks do a part.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from msgspec import structs
from snap_catalog.console import progress
from snap_evo.algorithm_comparison import Run, best_so_far, run_search
from snap_evo.defaults import SCORER, SURROGATE
from snap_evo.measuring.replay import Replay
from snap_evo.pictures import draw_best
from snap_evo.search_options import ScoredSearch

from tools import printed
from tools.pipeline import prepare_develop


class Task(NamedTuple):
    """What there is to find.

    Attributes:
        benchmark: the search space, and the table in the work folder.
        column: the metric.
        title: its name in the printed table.
        best: whether the very best is wanted, not one of the best 0.1 %.
    """

    benchmark: str
    column: str
    title: str
    best: bool


TASKS: Mapping[str, Task] = {
    "nb201": Task("nb201", "cifar10/test/accuracy@200", "NAS-Bench-201 C10, the best", True),
    "object": Task(
        "transnas-micro", "class_object/valid/top1", "TransNAS micro object, best 0.1 %", False
    ),
    "room": Task(
        "transnas-micro", "room_layout/valid/neg_loss", "TransNAS micro room, best 0.1 %", False
    ),
    "darts": Task("darts", "cifar10/valid/accuracy@50", "DARTS' 545, the best", True),
    "macro": Task(
        "transnas-macro", "class_object/valid/top1", "TransNAS macro object, best 0.1 %", False
    ),
}
NAMES = {
    "surrogate": "`surrogate` (ours)",
    "gp": "`gp`: Gaussian process on counts and costs",
    "ls": "`ls`: local search",
    "re": "`re`: regularised evolution",
    "tpe": "`tpe`",
    "random": "`random`",
}


def runs_of(
    task: Task, algorithm: str, seeds: int, base: Replay, *, quiet: bool
) -> tuple[list[Run], float]:
    """Search with every seed, and return the value that was to be found."""
    found = []
    with progress(f"{task.title}, {algorithm}", seeds, quiet=quiet) as advance:
        for seed in range(seeds):
            search = structs.replace(base.search, algorithm=algorithm, seed=seed)
            replay = Replay(search, base.file, task.column, base.surrogate, base.measurements)
            found.append(run_search(replay))
            advance(1)
    goal = replay.goal()
    return found, goal.best if task.best else goal.top


def until(runs: Sequence[Run], goal: float) -> str:
    """Write the median number of trainings, and the quartiles."""
    found = np.array([run.evaluations_to(goal) for run in runs])
    low, middle, high = (
        float(np.quantile(found, share, method="inverted_cdf")) for share in (0.25, 0.5, 0.75)
    )
    most = max(run.distinct for run in runs)
    shown = [f"{n:.0f}" if np.isfinite(n) else f"> {most}" for n in (middle, low, high)]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--scorer", default=SCORER, show_default=True)
@click.option("--surrogate", default=SURROGATE, show_default=True)
@click.option("--algorithms", default=",".join(NAMES), show_default=True)
@click.option("--tasks", default=",".join(TASKS), show_default=True)
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--measurements", default=100, show_default=True, type=click.IntRange(min=1))
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder for a curve per task.")
@click.option("--quiet", is_flag=True)
def main(
    work: Path,
    scorer: str,
    surrogate: str,
    algorithms: str,
    tasks: str,
    seeds: int,
    measurements: int,
    pictures: Path | None,
    quiet: bool,
) -> None:
    """Print one table: a row for each task, a column for each algorithm."""
    prepare_develop(work)
    names = algorithms.split(",")
    head = ["trainings until found, median (quartiles)", *(NAMES[name] for name in names)]
    click.echo(printed.table(head, []))
    for key in tasks.split(","):
        task = TASKS[key]
        file = str(work / f"{task.benchmark}.parquet")
        base = Replay(
            ScoredSearch(space=task.benchmark, scorer=scorer),
            file,
            task.column,
            surrogate,
            measurements,
        )
        found: list[Run] = []
        row = [task.title]
        for name in names:
            runs, goal = runs_of(task, name, seeds, base, quiet=quiet)
            found += runs
            row.append(until(runs, goal))
        click.echo(f"| {' | '.join(row)} |")
        if pictures is not None:
            for suffix in ("svg", "png"):
                path = pictures / f"{key}-measured.{suffix}"
                draw_best(best_so_far(found), path, metric=task.column, title=task.title)


if __name__ == "__main__":
    main()
