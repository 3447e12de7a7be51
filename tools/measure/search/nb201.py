"""Search NAS-Bench-201 with a predictor and look up how good the cells found really are."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
import numpy as np
import pyarrow as pa
from snap_evo.defaults import BUDGET, SCORER
from snap_evo.ranking import Ranking, rank_space
from snap_evo.registry import load_scorer
from snap_evo.scorers import Scorer, TableScorer
from snap_evo.search_options import ScoredSearch

from tools import printed
from tools.measure.search.runs import carry_out, plan_of

SPACE = "nb201"
MEASURED = {
    "CIFAR-10 test accuracy": ("nb201", "cifar10/test/accuracy"),
    "analog-nasbench test accuracy": ("analog", "baseline_accuracy"),
}
"""By title: the file of the work folder, and its column."""


class Found(NamedTuple):
    """What the searches of one algorithm found.

    Attributes:
        algorithm: the algorithm.
        best: one row of the `graphs` contract a search.
        distinct: cells that each search scored.
        seconds: how long each took, the scorer being loaded.
    """

    algorithm: str
    best: pa.Table
    distinct: list[int]
    seconds: list[float]


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--scorer", default=SCORER, show_default=True)
@click.option("--algorithms", default="de,re,ls,random", show_default=True)
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(min=2))
@click.option("--budget", default=BUDGET, show_default=True)
@click.option("--shell", default=5, show_default=True, help="Times to run the command itself.")
def nb201(work: Path, scorer: str, algorithms: str, seeds: int, budget: int, shell: int) -> None:
    """Report the accuracy of the cells found, and the seconds that finding them takes.

    Accuracies are looked up when all searches are over.
    """
    judge = load_scorer(scorer)
    listed, ranking = _listed(judge)
    found = [_found(judge, scorer, name, seeds, budget) for name in algorithms.split(",")]
    tables = [TableScorer(work / f"{name}.parquet", column) for name, column in MEASURED.values()]
    head = ["algorithm", *MEASURED, "rank by the predictor", "share of cells scored", "seconds"]
    click.echo(f"Scorer {scorer}, {seeds} seeds of {budget:,} evaluations.\n")
    click.echo(printed.table(head, [_row(one, tables, ranking) for one in (*found, listed)]))
    walls, worked = zip(*(_from_shell(scorer) for _ in range(shell)), strict=True)
    click.echo(
        f"\n`snap-evo run --space {SPACE} --scorer {scorer}` from the shell: median "
        f"{median(walls):.1f} s of {shell} runs ({min(walls):.1f} to {max(walls):.1f}), "
        f"{median(worked):.1f} s of the processor"
    )


def _listed(judge: Scorer) -> tuple[Found, Ranking]:
    """Score the whole space."""
    began = time.perf_counter()
    ranking = rank_space(SPACE, judge)
    assert ranking is not None
    seconds = time.perf_counter() - began
    best = ranking.graphs.slice(int(np.argmax(ranking.values)), 1)
    return Found("every cell scored", best, [ranking.distinct], [seconds]), ranking


def _found(judge: Scorer, scorer: str, algorithm: str, seeds: int, budget: int) -> Found:
    runs = carry_out(plan_of(ScoredSearch(space=SPACE), scorer, algorithm, budget), judge, seeds)
    return Found(
        algorithm,
        runs.found,
        [result.distinct for result in runs.results],
        [result.seconds for result in runs.results],
    )


def _row(found: Found, tables: list[TableScorer], ranking: Ranking) -> list[str]:
    ranks = [ranking.rank(ranking.row(name)) for name in found.best["arch_id"].to_pylist()]
    shares = [100 * distinct / ranking.distinct for distinct in found.distinct]
    return [
        found.algorithm,
        *(printed.spread(table.score(found.best).tolist(), 2) for table in tables),
        printed.spread(ranks, 1),
        f"{printed.spread(shares, 1)} %",
        printed.spread(found.seconds, 2),
    ]


def _from_shell(scorer: str) -> tuple[float, float]:
    """Return the wall and processor seconds of the command, from start to end."""
    program = str(Path(sys.executable).with_name("snap-evo"))
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "run", "--space", SPACE, "--scorer", scorer, "--out", folder]
        began, before = time.perf_counter(), os.times()
        subprocess.run([*command, "--quiet"], check=True, capture_output=True)
        seconds, after = time.perf_counter() - began, os.times()
    worked = after.children_user + after.children_system
    return seconds, worked - before.children_user - before.children_system
