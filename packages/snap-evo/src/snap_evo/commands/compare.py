"""`snap-evo compare`."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import click
from snap_catalog import SnapError
from snap_catalog.console import progress

from snap_evo import defaults
from snap_evo.commands import options
from snap_evo.commands.measuring import MeasureOptions, surrogate_option
from snap_evo.engines import EngineOptions, start_engine
from snap_evo.search_options import ScoredSearch, SearchOptions

if TYPE_CHECKING:
    from snap_evo.algorithm_comparison import Row, Run
    from snap_evo.measuring.replay import Goal, Replay

_SEARCHING, _MEASURING = "de,re,ls,random", "surrogate,re,ls,random"
_ASIDE = ("workers", "engine", "out", "as_json", "quiet")
"""Options on which no result depends."""


@click.command()
@options.search_options()
@click.option(
    "--algorithms",
    help="The algorithms, separated by commas. Default: de,re,ls,random, and with --measure "
    "surrogate,re,ls,random; there are also tpe (needs snap-evo[tpe]) and gp "
    "(needs snap-evo[counts]).",
)
@options.together(
    "measuring",
    MeasureOptions,
    click.option(
        "--measure",
        help="Compare searches that measure, in a table of measurements: table:FILE:COLUMN.",
    ),
    click.option(
        "--measurements",
        type=options.COUNT,
        default=100,
        show_default=True,
        help="Architectures that each search may measure, with --measure.",
    ),
    surrogate_option,
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Runs of each algorithm, with the seeds 0, 1, ...",
)
@click.option(
    "--budget",
    type=options.COUNT,
    default=defaults.BUDGET,
    show_default=True,
    help="Number of candidates that each search may propose.",
)
@options.code_option
@click.option(
    "--best",
    type=options.Finite(),
    help="The best possible score. Default: the best score of the space if it can be listed and "
    "nothing is limited, else the best score of all runs.",
)
@options.jobs_options("Searches")
@options.output_options
def compare(
    search: SearchOptions,
    algorithms: str | None,
    measuring: MeasureOptions,
    seeds: int,
    budget: int,
    allow_code: bool,
    best: float | None,
    engine: EngineOptions,
    output: options.Output,
) -> None:
    """Compare algorithms over several seeds: a table, and a plot of regret over evaluations.

    Writes runs.csv (one row per search), regret.svg and regret.png. With --measure the plots are
    best-so-far.svg and best-so-far.png, the best value so far over trainings, and trials.parquet
    holds the same for snap-eval report.
    """
    from msgspec import structs

    from snap_evo import search_files

    search, space = options.with_space(search, allow_code=allow_code)
    options.say_withheld(space, quiet=output.quiet)
    scored = search.extended(ScoredSearch, budget=budget, allow_code=allow_code)
    names = dict.fromkeys(
        (algorithms or (_MEASURING if measuring.measure else _SEARCHING)).split(",")
    )
    searches = [
        structs.replace(scored, algorithm=name, seed=seed)
        for name in names
        for seed in range(seeds)
    ]
    search_files.prepare(output.out)
    if measuring.measure is not None:
        _compare_measuring(_replays(searches, measuring), best, engine, output)
    else:
        _compare_scoring(searches, best, engine, output)


def _compare_scoring(
    searches: Sequence[ScoredSearch],
    best: float | None,
    engine: EngineOptions,
    output: options.Output,
) -> None:
    """Compare searches by score, and show how soon each algorithm reached the best score."""
    from snap_evo.algorithm_comparison import regrets, rows, write_runs
    from snap_evo.pictures import draw_regret, drawn

    search = searches[0]
    if best is None and not search.limits():
        best = _best_of_space(search)
    runs = _run(searches, search.space, engine, output)
    if best is None:
        best = max(float(run.best[-1]) for run in runs)
    title = f"{search.space}, {search.scorer}"
    draw = partial(draw_regret, regrets(runs, best), title=title)
    files = [write_runs(runs, output.out), *drawn(output.out, "regret", draw)]
    found = rows(runs, best)
    if output.as_json:
        content = {"best": best, "algorithms": [asdict(row) for row in found], "files": files}
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(_table(found, best))


def _best_of_space(search: ScoredSearch) -> float | None:
    from snap_evo import load_scorer
    from snap_evo.ranking import rank_space

    space = search.find_space(allow_code=search.allow_code)
    ranking = rank_space(space, load_scorer(search.scorer))
    return None if ranking is None else float(ranking.values.max())


def _replays(searches: Sequence[ScoredSearch], measuring: MeasureOptions) -> "list[Replay]":
    """Return searches that measure in a table."""
    from snap_evo.measuring.replay import Replay

    measure, measurements = measuring.measure, measuring.measurements
    assert measure is not None
    assert measurements is not None
    kind, _, rest = measure.partition(":")
    file, _, column = rest.rpartition(":")
    if kind != "table" or not file or not column:
        raise SnapError(f"{measure!r:.80} is no table of measurements; write table:FILE:COLUMN")
    return [Replay(each, file, column, measuring.surrogate, measurements) for each in searches]


def _compare_measuring(
    replays: "Sequence[Replay]",
    best: float | None,
    engine: EngineOptions,
    output: options.Output,
) -> None:
    """Compare searches that measure, and show how soon each found the best architectures."""
    from snap_catalog.parquet import check_writable

    from snap_evo import algorithm_comparison as comparison
    from snap_evo.pictures import draw_best, drawn

    first, folder = replays[0], output.out
    table, space, column = first.table, first.search.space, first.column
    check_writable(folder / comparison.TRIALS, "trials")
    goal = first.goal() if best is None else first.goal()._replace(best=best)
    subject = comparison.Subject(
        table.full_space.name, table.metric, table.direction, goal, options.given(_ASIDE)
    )
    runs = _run(replays, space, engine, output)
    title = f"{space}, {column}"
    draw = partial(draw_best, comparison.best_so_far(runs), metric=column, title=title)
    files = [comparison.write_runs(runs, folder), *drawn(folder, "best-so-far", draw)]
    files.append(comparison.write_trials(runs, subject, folder))
    until_top, until_best = (comparison.rows(runs, value) for value in (goal.top, goal.best))
    if output.as_json:
        content = {
            **goal._asdict(),
            "algorithms": {
                "top": [asdict(row) for row in until_top],
                "best": [asdict(row) for row in until_best],
            },
            "files": files,
        }
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(_measured_table(until_top, until_best, goal))


def _run(
    searches: "Sequence[ScoredSearch | Replay]",
    space: str,
    engine: EngineOptions,
    output: options.Output,
) -> "list[Run]":
    """Run the searches; those that are done are kept when this ends early."""
    from snap_evo.algorithm_comparison import run_search, write_runs

    runs: list[Run] = []

    def kept() -> str:
        count = f"{len(runs)} of {len(searches)} searches; for all, give the command again"
        return f"{write_runs(runs, output.out)} has {count}" if runs else ""

    with (
        options.say_if_ended(kept),
        progress(f"compare {space}", len(searches), quiet=output.quiet) as advance,
        start_engine(engine) as machine,
        closing(machine.map(run_search, searches)) as coming,
    ):
        for run in coming:
            runs.append(run)
            advance(1)
    return runs


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
