"""Search NAS-Bench-201 with a predictor and look up how good the cells found really are.

Prints the table of docs/search.md:

    uv run python tools/search/nb201_predictor.py --scorer gcn:snap \
        --measured nb201.parquet:cifar10/test/accuracy \
        --measured analog.parquet:cifar10/test/baseline_accuracy

Each `--measured FILE:COLUMN` is a `graphs.parquet` of all 15,625 cells and one of its metrics. The
accuracies are looked up when all searches are over.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_evo.defaults import BUDGET
from snap_evo.ranking import Ranking, rank_space
from snap_evo.registry import load_scorer
from snap_evo.scorers import Scorer, TableScorer
from snap_evo.search_loop import search

SPACE = "nb201"


@dataclass(frozen=True)
class Found:
    """What the searches of one algorithm found.

    Attributes:
        name: the algorithm.
        best: one row of the `graphs` contract a search.
        distinct: cells that each search scored.
        seconds: how long each took, the scorer being loaded.
    """

    name: str
    best: pa.Table
    distinct: list[int]
    seconds: list[float]


@click.command()
@click.option("--scorer", default="gcn:snap", show_default=True)
@click.option("--measured", multiple=True, required=True, metavar="FILE:COLUMN")
@click.option("--algorithms", default="de,re,ls,random", show_default=True)
@click.option("--seeds", default=20, show_default=True)
@click.option("--budget", default=BUDGET, show_default=True)
@click.option("--shell", default=3, show_default=True, help="Times to run the command itself.")
def main(
    scorer: str, measured: tuple[str, ...], algorithms: str, seeds: int, budget: int, shell: int
) -> None:
    """Print a markdown table."""
    judge = load_scorer(scorer)
    began = time.perf_counter()
    ranking = rank_space(SPACE, judge)
    assert ranking is not None
    listing = time.perf_counter() - began
    found = [_search(judge, name, seeds, budget) for name in algorithms.split(",")]
    found.append(_exhaustive(ranking, listing))
    tables = [TableScorer(*entry.rsplit(":", 1)) for entry in measured]
    click.echo(f"Scorer {scorer}, {seeds} seeds of {budget:,} evaluations.\n")
    titles = "".join(f" {entry.rsplit(':', 1)[1]} |" for entry in measured)
    click.echo(f"| algorithm |{titles} rank by the predictor | share scored | seconds |")
    click.echo("|---" * (4 + len(measured)) + "|")
    for row in found:
        click.echo(_line(row, tables, ranking))
    click.echo(f"\nWall seconds of `snap-evo run --space nb201 --scorer {scorer}` from the shell: ")
    click.echo(", ".join(f"{_from_shell(scorer):.1f}" for _ in range(shell)))


def _search(judge: Scorer, name: str, seeds: int, budget: int) -> Found:
    results = [search(SPACE, judge, algorithm=name, budget=budget, seed=s) for s in range(seeds)]
    return Found(
        name,
        pa.concat_tables([result.best for result in results]),
        [result.distinct for result in results],
        [result.seconds for result in results],
    )


def _exhaustive(ranking: Ranking, seconds: float) -> Found:
    best = ranking.graphs.slice(int(np.argmax(ranking.values)), 1)
    return Found("exhaustive", best, [ranking.distinct], [seconds])


def _line(found: Found, tables: list[TableScorer], ranking: Ranking) -> str:
    ranks = [ranking.rank(ranking.row(name)) for name in found.best["arch_id"].to_pylist()]
    cells = [_mean(table.score(found.best), 2) for table in tables]
    share = _mean([100 * distinct / ranking.distinct for distinct in found.distinct], 1)
    values = [*cells, _mean(ranks, 1), f"{share} %", _mean(found.seconds, 2)]
    return f"| {found.name} | " + " | ".join(values) + " |"


def _mean(values: Sequence[float] | npt.NDArray[np.float64], digits: int) -> str:
    spread = f" +- {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def _from_shell(scorer: str) -> float:
    program = str(Path(sys.executable).with_name("snap-evo"))
    command = [program, "run", "--space", SPACE, "--scorer", scorer]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run([*command, "--out", folder, "--quiet"], check=True, capture_output=True)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
