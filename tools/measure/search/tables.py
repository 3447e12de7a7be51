"""The paper's tables 3, 4 and 7 next to our measurements."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from snap_evo.defaults import BUDGET
from snap_evo.registry import load_scorer
from snap_evo.scorers import Scorer, TableScorer
from snap_evo.search_options import ScoredSearch
from snap_gcn import Predictor
from snap_gcn.model.recipe import BUNDLED

from tools import printed
from tools.measure.search.runs import MOBILE, Runs, carry_out, plan_of

PAPER = Path(__file__).with_name("paper_tables.toml")
UNMEASURED = "not measured"
_HOUR, _DAY = 3600, 86_400


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--model", default=BUNDLED[0], show_default=True, help="A predictor of snap-gcn.")
@click.option("--algorithms", default="de,re", show_default=True)
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(min=2))
@click.option("--budget", default=BUDGET, show_default=True)
def tables(work: Path, model: str, algorithms: str, seeds: int, budget: int) -> None:
    """Print the paper's tables with rows of our own. What has no data here is said to have none."""
    scorer = f"gcn:{model}"
    judge = load_scorer(scorer)
    training = Predictor.load(model).model.config.training.seconds
    accuracy = TableScorer(work / "nb201.parquet", "cifar10/test/accuracy")
    ours: dict[str, list[list[str]]] = {"nb201": [], "imagenet": []}
    for name in algorithms.split(","):
        title = f"**here**, {scorer}, {name}"
        runs = _runs(ScoredSearch(space="nb201"), judge, scorer, name, budget, seeds)
        ours["nb201"].append([title, *_nb201(runs, accuracy, training)])
        runs = _runs(MOBILE, judge, scorer, name, budget, seeds)
        ours["imagenet"].append([title, *_imagenet(runs, training)])
    for table in tomllib.loads(PAPER.read_text("utf-8"))["table"]:
        click.echo(f"\n{table['title']}\n")
        click.echo(printed.table(table["head"], [*table["rows"], *ours[table["kind"]]]))


def _runs(
    plan: ScoredSearch, judge: Scorer, scorer: str, algorithm: str, budget: int, seeds: int
) -> Runs:
    return carry_out(plan_of(plan, scorer, algorithm, budget), judge, seeds)


def _nb201(runs: Runs, accuracy: TableScorer, training: float) -> Sequence[str]:
    return (
        printed.spread((runs.found["flops"].to_numpy() / 1e6).tolist(), 1),
        printed.spread((runs.found["params"].to_numpy() / 1e6).tolist(), 2),
        _cost(runs, training, _HOUR),
        printed.spread(accuracy.score(runs.found).tolist(), 2),
        UNMEASURED,
        UNMEASURED,
    )


def _imagenet(runs: Runs, training: float) -> Sequence[str]:
    return (
        UNMEASURED,
        UNMEASURED,
        _cost(runs, training, _DAY),
        printed.spread((runs.found["params"].to_numpy() / 1e6).tolist(), 2),
        "predictor, evolution",
    )


def _cost(runs: Runs, training: float, unit: int) -> str:
    """Write the cost of one search on one core, without and with the predictor's training."""
    search = runs.processor_seconds / len(runs.results)
    alone, all_told = (
        np.format_float_positional(seconds / unit, precision=2, fractional=False, trim="-")
        for seconds in (search, search + training)
    )
    return f"{alone} ({search:.1f} s); with training {all_told}"
