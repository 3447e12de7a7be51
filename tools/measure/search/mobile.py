"""Search DARTS in the mobile setting, and look at what the searches agree and differ on."""

import itertools
from collections import Counter
from pathlib import Path
from statistics import fmean

import click
import numpy as np
from snap_catalog.parquet import read
from snap_evo.defaults import BUDGET, SCORER
from snap_evo.pictures import draw_front
from snap_evo.registry import load_scorer
from snap_evo.scorers import Scorer, TableScorer
from snap_evo.search_loop import SearchResult
from snap_evo.search_options import ScoredSearch
from snap_graphs import Cell
from snap_graphs.drawing import draw_architecture
from snap_graphs.spaces.genotypes import to_genotype

from tools import printed
from tools.measure.search.runs import MOBILE, Runs, carry_out, plan_of

TRAINED = "cifar10/valid/accuracy@50"
_FRONT_BUDGET = 3000


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--scorer", default=SCORER, show_default=True)
@click.option("--algorithms", default="de,re,random", show_default=True)
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(min=2))
@click.option("--budget", default=BUDGET, show_default=True)
@click.option("--out", default="docs", show_default=True, type=click.Path(path_type=Path))
def mobile(work: Path, scorer: str, algorithms: str, seeds: int, budget: int, out: Path) -> None:
    """Report the seconds of searches and how alike their cells are; draw the best, and a front."""
    judge = load_scorer(scorer)
    plans = [plan_of(MOBILE, scorer, name, budget) for name in algorithms.split(",")]
    runs = {plan.algorithm: carry_out(plan, judge, seeds) for plan in plans}
    click.echo(f"Scorer {scorer}, {seeds} seeds of {budget:,} evaluations.\n")
    click.echo(printed.table(_HEAD, [_row(name, found) for name, found in runs.items()]))
    best = max((found.best for found in runs.values()), key=lambda result: result.score)
    click.echo(f"\n{_told(best)}")
    draw_architecture("darts", best.cell, out / "mobile-cell.svg")
    _front(judge, scorer, out / "mobile-front.svg")
    click.echo(f"\n{_trained(judge, work / 'darts.parquet')}")


_HEAD = (
    "algorithm",
    "score",
    "parameters, M",
    "multiply-adds, M",
    "cells scored",
    "different cells found",
    "operators of 16 that two differ in",
    "seconds of all searches",
    "of the processor",
)


def _row(algorithm: str, runs: Runs) -> list[str]:
    found = runs.found
    return [
        algorithm,
        printed.spread([result.score for result in runs.results], 2),
        printed.spread((found["params"].to_numpy() / 1e6).tolist(), 2),
        printed.spread((found["flops"].to_numpy() / 1e6).tolist(), 0),
        printed.spread([result.distinct for result in runs.results], 0),
        f"{len(found['cell_hash'].unique())} of {found.num_rows}",
        f"{mean_difference([result.cell for result in runs.results]):.1f}",
        f"{runs.seconds:.0f}",
        f"{runs.processor_seconds:.0f}",
    ]


def mean_difference(cells: list[Cell]) -> float:
    """Return in how many operators, with where they stand, two of the cells differ on average."""
    return fmean(difference(a, b) for a, b in itertools.combinations(cells, 2))


def difference(one: Cell, other: Cell) -> int:
    """Count a genotype's operators that another has not on the same node with the same input."""
    return (_placed(one) - _placed(other)).total()


def _placed(cell: Cell) -> Counter[tuple[str, int, str, int]]:
    genotype = to_genotype(cell)
    return Counter(
        (kind, place // 2, operator, source)
        for kind, pairs in (("normal", genotype.normal), ("reduce", genotype.reduce))
        for place, (operator, source) in enumerate(pairs)
    )


def _told(best: SearchResult) -> str:
    arch_id, params, flops = (best.best[name][0].as_py() for name in ("arch_id", "params", "flops"))
    return (
        f"Best ({best.algorithm}, seed {best.seed}): score {best.score:.3f}, "
        f"{params / 1e6:.2f} M parameters, {flops / 1e6:.0f} M multiply-adds\n\n    {arch_id}"
    )


def _front(judge: Scorer, scorer: str, path: Path) -> None:
    plan = ScoredSearch(
        space="darts",
        scorer=scorer,
        algorithm="nsga2",
        budget=_FRONT_BUDGET,
        objective="score,params,flops",
        max_params=MOBILE.max_params,
        max_flops=MOBILE.max_flops,
        network=MOBILE.network,
    )
    draw_front(plan.run(judge), path)


def _trained(judge: Scorer, path: Path) -> str:
    """Report the accuracy of the predictor's pick of the cells that were trained."""
    graphs = read(path, "graphs")
    scores, measured = judge.score(graphs), TableScorer(path, TRAINED).score(graphs)
    pick = measured[int(np.argmax(scores))]
    return (
        f"Of the {len(measured)} trained cells the predictor picks one of {pick:.2f} % "
        f"({TRAINED}), rank {1 + int((measured > pick).sum())}; the best has "
        f"{measured.max():.2f} %, a regret of {measured.max() - pick:.2f}. The mean is "
        f"{measured.mean():.2f} %, that of the ten picked first "
        f"{measured[np.argsort(-scores, kind='stable')[:10]].mean():.2f} %."
    )
