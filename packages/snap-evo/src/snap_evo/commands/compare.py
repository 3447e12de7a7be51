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
from snap_evo.commands.measuring import surrogate_option

if TYPE_CHECKING:
    from snap_evo.algorithm_comparison import Row, Run
    from snap_evo.measuring.replay import Goal, Replay
    from snap_evo.plan import Plan

_SEARCHING, _MEASURING = "de,re,ls,random", "surrogate,re,ls,random"
_MEASUREMENTS = 100
_ASIDE = ("jobs", "engine", "out", "as_json", "quiet")
"""Options on which no result depends."""


@click.command()
@options.space_option
@options.scorer_option
@click.option(
    "--algorithms",
    help="The algorithms, with commas between. Default: de,re,ls,random, and with --measure "
    "surrogate,re,ls,random; there are also tpe (needs snap-evo[tpe]) and gp "
    "(needs snap-evo[counts]).",
)
@click.option(
    "--measure",
    help="Compare searches that measure, in a table of measurements: table:FILE:COLUMN.",
)
@click.option(
    "--measurements",
    type=options.COUNT,
    help="Architectures that an algorithm may measure, with --measure. Default: 100.",
)
@surrogate_option
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
@options.jobs_option("Searches")
@options.engine_option
@options.out_option
@options.json_option
@options.quiet_option
def compare(
    space: str,
    scorer: str,
    algorithms: str | None,
    measure: str | None,
    measurements: int | None,
    surrogate: str,
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

    Writes runs.csv (one row per search), regret.svg and regret.png. With --measure it writes
    best-so-far.svg and best-so-far.png, the best value found so far against trainings, instead of
    the pictures of regret, and trials.parquet, from which snap-eval report draws the same.
    """
    from dataclasses import asdict, replace

    from snap_catalog.parquet import check_writable
    from snap_graphs import space as find
    from snap_graphs.spaces.custom import DEFINITION

    from snap_evo import algorithm_comparison as comparison
    from snap_evo import search_files
    from snap_evo.measuring import trials
    from snap_evo.plan import Plan

    options.check_jobs(jobs, engine)
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
    names = dict.fromkeys((algorithms or (_MEASURING if measure else _SEARCHING)).split(","))
    plans = [replace(plan, algorithm=name, seed=seed) for name in names for seed in range(seeds)]
    folder = search_files.prepare(out)
    if measure is not None:
        check_writable(folder / trials.FILE, "trials")
        goal, replays = _replays(plans, measure, surrogate, measurements or _MEASUREMENTS, best)
        subject = trials.Subject(
            home.name, replays[0].metric, replays[0].direction, goal, options.given(_ASIDE)
        )
        runs = _searches(replays, space, folder, engine, jobs, quiet=quiet)
        title = f"{space}, {replays[0].column}"
        files = search_files.write_measured(runs, replays[0].column, folder, title=title)
        files.append(trials.write_trials(runs, subject, folder))
        _print_measured(runs, goal, files, as_json=as_json)
        return
    if best is None and not plan.limits():
        best = _best_of_space(plan)
    runs = _searches(plans, space, folder, engine, jobs, quiet=quiet)
    if best is None:
        best = max(float(run.best[-1]) for run in runs)
    rows = comparison.rows(runs, best)
    files = search_files.write_comparison(runs, best, folder, title=f"{space}, {scorer}")
    if as_json:
        content = {"best": best, "algorithms": [asdict(row) for row in rows], "files": files}
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(_table(rows, best))


def _replays(
    plans: "list[Plan]", measure: str, surrogate: str, measurements: int, best: float | None
) -> "tuple[Goal, list[Replay]]":
    """Return what there is to find in a table, and the searches for it."""
    from snap_evo.measuring.replay import Replay
    from snap_evo.plugins import Kind

    kind, _, rest = measure.partition(":")
    if kind != "table" or ":" not in rest:
        raise SnapError(f"{measure!r:.80} is no table of measurements; write table:FILE:COLUMN")
    named = Kind("measurer").options(measure, ("file", "column"))
    replays = [
        Replay(plan, **named, surrogate=surrogate, measurements=measurements) for plan in plans
    ]
    goal = replays[0].goal()
    return goal if best is None else goal._replace(best=best), replays


def _print_measured(runs: "list[Run]", goal: "Goal", files: list[str], *, as_json: bool) -> None:
    from dataclasses import asdict

    from snap_evo import algorithm_comparison as comparison

    top, best = (comparison.rows(runs, value) for value in goal[::-1])
    if as_json:
        content = {
            **goal._asdict(),
            "algorithms": {
                "top": [asdict(row) for row in top],
                "best": [asdict(row) for row in best],
            },
            "files": files,
        }
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(_measured_table(top, best, goal))


def _searches(
    plans: "Sequence[Plan | Replay]",
    space: str,
    folder: Path,
    engine: str,
    jobs: int | None,
    *,
    quiet: bool,
) -> "list[Run]":
    """Carry out the searches; those that are done are kept when this ends early."""
    runs: list[Run] = []
    with (
        _keeping(runs, len(plans), folder),
        progress(f"compare {space}", len(plans), quiet=quiet) as advance,
        closing(_carry_out(plans, engine, jobs)) as coming,
    ):
        for run in coming:
            runs.append(run)
            advance(1)
    return runs


@contextmanager
def _keeping(runs: "Sequence[Run]", wanted: int, folder: Path) -> Iterator[None]:
    """Write the searches that are done when Ctrl-C or an error ends the comparison early."""
    from snap_evo.search_files import write_runs

    try:
        yield
    except (SnapError, KeyboardInterrupt):
        if runs:
            table = write_runs(runs, folder)
            say(f"{table} has {len(runs)} of {wanted} searches; for all, give the command again")
        raise


def _carry_out(
    plans: "Sequence[Plan | Replay]", engine: str, jobs: int | None
) -> "Generator[Run, None, None]":
    from snap_evo import algorithm_comparison as comparison

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
        lines.append(
            f"| {row.algorithm} | {_score(row)} | {row.reached} of {row.runs} | "
            f"{_until(row)} | {row.distinct:,.0f} | {row.seconds:.1f} |"
        )
    return "\n".join(lines)


def _measured_table(top: "list[Row]", best: "list[Row]", goal: "Goal") -> str:
    lines = [
        f"| algorithm | best value, mean +- deviation | trainings until the best 0.1 % "
        f"({goal.top:.6g}), median | runs | until the best ({goal.best:.6g}), median | runs | "
        "seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, found in zip(top, best, strict=True):
        lines.append(
            f"| {row.algorithm} | {_score(row)} | {_until(row)} | "
            f"{row.reached} of {row.runs} | {_until(found)} | {found.reached} of {found.runs} | "
            f"{row.seconds:.1f} |"
        )
    return "\n".join(lines)


def _score(row: "Row") -> str:
    deviation = "" if row.deviation is None else f" +- {row.deviation:.3g}"
    return f"{row.score:.6g}{deviation}"


def _until(row: "Row") -> str:
    return "-" if row.evaluations is None else f"{row.evaluations:,.0f}"
