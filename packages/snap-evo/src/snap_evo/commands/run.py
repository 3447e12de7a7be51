"""`snap-evo run`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from snap_catalog.console import progress

from snap_evo import defaults
from snap_evo.commands.options import json_option, quiet_option

if TYPE_CHECKING:
    from snap_graphs import Space

    from snap_evo.report import Report
    from snap_evo.scorers import Scorer
    from snap_evo.search_loop import SearchResult

_STARTED = time.perf_counter()


@click.command()
@click.option(
    "--space",
    required=True,
    help="A search space that snap-graphs knows, as nb201 or darts, or a TOML file (*.toml) that "
    "defines one.",
)
@click.option(
    "--scorer",
    default=defaults.SCORER,
    show_default=True,
    help="gcn:MODEL (needs snap-gcn), params, flops, table:FILE:COLUMN, "
    "command:PROGRAM {input} {output}, or one of another package. MODEL is snap, paper or a model "
    "folder, FILE a graphs.parquet, COLUMN one of its metrics. gcn*0.7+params*0.3 adds up ranks.",
)
@click.option(
    "--algorithm",
    default=defaults.ALGORITHM,
    show_default=True,
    help="de (differential evolution) or random.",
)
@click.option(
    "--budget",
    default=defaults.BUDGET,
    show_default=True,
    help="Candidates the algorithm may propose. A cell proposed again counts, though it is not "
    "scored again.",
)
@click.option("--seed", default=defaults.SEED, show_default=True, help="Seed of all randomness.")
@click.option(
    "--out", default=".", show_default=True, type=click.Path(), help="Folder for the files."
)
@json_option
@quiet_option
def run(
    space: str,
    scorer: str,
    algorithm: str,
    budget: int,
    seed: int,
    out: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Search a space and report the best cell found.

    Writes search.parquet (every candidate), best.json, best.svg and best.png. Equal options give
    equal search.parquet and best.json, once `seconds` is dropped from both.
    """
    from snap_graphs import space as find

    from snap_evo import load_scorer, output, report, search

    home, judge = find(space), load_scorer(scorer)
    folder = output.prepare(out)
    with progress(f"search {home.name}", budget, quiet=quiet) as advance:
        result = search(home, judge, algorithm=algorithm, budget=budget, seed=seed, advance=advance)
    seconds = _search_seconds(result)
    told = _examine(home, result, scorer, judge, seconds)
    with _timed("writing and drawing", seconds):
        files = output.write_results(told, folder) + output.write_drawings(told, folder)
    click.echo(report.as_json(told).rstrip() if as_json else report.summary(told, seconds, files))


def _search_seconds(result: "SearchResult") -> dict[str, float]:
    return {
        "start-up": time.perf_counter() - _STARTED - result.seconds,
        "scoring": result.scoring_seconds,
        "algorithm": result.seconds - result.scoring_seconds,
    }


def _examine(
    home: "Space",
    result: "SearchResult",
    scorer: str,
    judge: "Scorer",
    seconds: dict[str, float],
) -> "Report":
    """Place the best cell in the space as scored and measured; or tell how far to trust it."""
    from snap_catalog import SnapError

    from snap_evo.measured import measure
    from snap_evo.ranking import rank_space
    from snap_evo.reference import ask_trust
    from snap_evo.report import Report

    with _timed("ranking the space", seconds):
        predicted = rank_space(home, judge)
    arch_id = str(result.best["arch_id"][0])
    with _timed("measured accuracies", seconds):
        try:
            measured = measure(result.space, arch_id, predicted, result.evaluations)
            return Report(result, scorer, predicted, measured)
        except SnapError as error:
            unmeasured = str(error)
    with _timed("trust", seconds):
        trust = ask_trust(judge, home)
    return Report(result, scorer, predicted, None, unmeasured, trust)


@contextmanager
def _timed(part: str, seconds: dict[str, float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[part] = time.perf_counter() - began
