"""`snap-evo compare`."""

import json
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog import SnapError
from snap_catalog.console import progress, say

from snap_evo import defaults
from snap_evo.commands import options

if TYPE_CHECKING:
    from snap_evo.comparison import Row, Run
    from snap_evo.plan import Plan


@click.command()
@options.space_option
@options.scorer_option
@click.option(
    "--algorithms",
    default="de,re,ls,random",
    show_default=True,
    help="The algorithms, with commas between.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many runs of each algorithm, with the seeds 0, 1, ...",
)
@click.option(
    "--budget",
    type=options.COUNT,
    default=defaults.BUDGET,
    show_default=True,
    help="Candidates that an algorithm may propose.",
)
@options.limit_options
@options.code_option
@click.option(
    "--best",
    type=options.Finite(),
    help="The best score there is. Default: the best of the space where it can be listed and "
    "nothing is limited, else the best of all runs.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Searches at a time, each in a process of its own. Default: one a processor.",
)
@options.engine_option
@options.out_option
@options.json_option
@options.quiet_option
def compare(
    space: str,
    scorer: str,
    algorithms: str,
    seeds: int,
    budget: int,
    min_params: float | None,
    max_params: float | None,
    max_flops: float | None,
    max_activations: float | None,
    allow_code: bool,
    network: str | None,
    best: float | None,
    jobs: int | None,
    engine: str,
    out: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare algorithms over several seeds: a table, and a picture of regret over evaluations.

    Writes runs.csv (one row per search), regret.svg and regret.png.
    """
    from dataclasses import asdict, replace

    from snap_graphs import space as find
    from snap_graphs.spaces.custom import DEFINITION

    from snap_evo import comparison, output
    from snap_evo.plan import Plan

    if jobs is not None and engine != "local":
        raise click.UsageError("--jobs goes with --engine local; Ray shares out the work itself.")
    home = find(space, allow_code=allow_code)
    options.say_withheld(home, quiet=quiet)
    plan = Plan(
        space=space,
        scorer=scorer,
        budget=budget,
        min_params=min_params,
        max_params=max_params,
        max_flops=max_flops,
        max_activations=max_activations,
        allow_code=allow_code,
        network=network,
        definition=home.metadata.get(DEFINITION),
    )
    plans = [
        replace(plan, algorithm=name, seed=seed)
        for name in algorithms.split(",")
        for seed in range(seeds)
    ]
    folder = output.prepare(out)
    if best is None and not plan.limits:
        best = _best_of_space(plan)
    runs = _searches(plans, folder, engine, jobs, quiet=quiet)
    if best is None:
        best = max(float(run.best[-1]) for run in runs)
    rows = comparison.rows(runs, best)
    files = output.write_comparison(runs, best, folder, title=f"{space}, {scorer}")
    if as_json:
        content = {"best": best, "algorithms": [asdict(row) for row in rows], "files": files}
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(_table(rows, best))


def _searches(
    plans: "list[Plan]", folder: Path, engine: str, jobs: int | None, *, quiet: bool
) -> "list[Run]":
    """Carry out the searches; those that are done are kept when this ends early."""
    runs: list[Run] = []
    with (
        _keeping(runs, len(plans), folder),
        progress(f"compare {plans[0].space}", len(plans), quiet=quiet) as advance,
        closing(_carry_out(plans, engine, jobs)) as coming,
    ):
        for run in coming:
            runs.append(run)
            advance(1)
    return runs


@contextmanager
def _keeping(runs: "Sequence[Run]", wanted: int, folder: Path) -> Iterator[None]:
    """Write the searches that are done when Ctrl-C or an error ends the comparison early."""
    from snap_evo.output import write_runs

    try:
        yield
    except (SnapError, KeyboardInterrupt):
        if runs:
            table = write_runs(runs, folder)
            say(f"{len(runs)} of {wanted} searches are in {table}; for all, give the command again")
        raise


def _carry_out(plans: "list[Plan]", engine: str, jobs: int | None) -> "Generator[Run, None, None]":
    from snap_evo import comparison

    if engine == "local":
        yield from comparison.compare(plans, jobs or os.cpu_count() or 1)
        return
    from snap_evo import cluster

    with cluster.cluster():
        yield from cluster.compare(plans)


def _best_of_space(plan: "Plan") -> float | None:
    from snap_evo import load_scorer
    from snap_evo.ranking import rank_space

    ranking = rank_space(plan.home, load_scorer(plan.scorer))
    return None if ranking is None else float(ranking.values.max())


def _table(rows: "list[Row]", best: float) -> str:
    lines = [
        f"| algorithm | best score, mean +- deviation | runs that reached {best:.6g} | "
        "median evaluations until then | cells scored | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        deviation = "" if row.deviation is None else f" +- {row.deviation:.3g}"
        until = "-" if row.evaluations is None else f"{row.evaluations:,.0f}"
        lines.append(
            f"| {row.algorithm} | {row.score:.6g}{deviation} | {row.reached} of {row.runs} | "
            f"{until} | {row.distinct:,.0f} | {row.seconds:.1f} |"
        )
    return "\n".join(lines)
