"""`snap-eval correlate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog import SnapError
from snap_catalog.cli import json_option, out_option, quiet_option, seed_option
from snap_catalog.console import progress, say

from snap_eval.commands.options import (
    PATH,
    all_option,
    bootstrap_option,
    by_option,
    chosen_statistics,
    graphs_option,
    intervals_option,
    metric_option,
    population_option,
    read_benchmarks,
    read_contenders,
    scores_option,
    statistic_option,
    where_option,
)

if TYPE_CHECKING:
    from snap_eval.correlations import Intervals


@click.command()
@scores_option
@graphs_option
@metric_option
@statistic_option
@population_option(
    "populations",
    multiple=True,
    help="Set of cells to report on; `all` if none is given. May be repeated.",
)
@all_option("every statistic over all three populations")
@where_option
@by_option
@click.option("--flip", is_flag=True, help="Judge every scorer with its scores negated too.")
@out_option("correlations.parquet")
@click.option("--db", type=PATH, help="DuckDB file to keep cells, scores and results in as well.")
@intervals_option
@bootstrap_option
@seed_option
@json_option
@quiet_option
def correlate(
    specs: tuple[str, ...],
    graphs: tuple[str, ...],
    metrics: tuple[str, ...],
    statistics: tuple[str, ...],
    populations: tuple[str, ...],
    where: str,
    by: str,
    every: bool,
    flip: bool,
    out: Path,
    db: Path | None,
    intervals: "Intervals",
    bootstrap: int,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Report how well scorers order the cells of benchmarks by measured metrics.

    Rank correlations, also among the best cells, and what the cells with the highest scores are
    worth, each with a 95 % interval. The file holds what is printed, and all intervals.
    """
    from snap_catalog import parquet

    from snap_eval import correlations, show, store
    from snap_eval.measured import targets
    from snap_eval.relations import POPULATIONS

    wanted = chosen_statistics(statistics, every=every)
    if every and populations:
        raise click.UsageError("--all reports on every population; leave --population out")
    parquet.check_writable(out, "correlations")
    if db:
        store.check(db)
    measured = read_benchmarks(graphs, scan=True)
    scanned = next((m for m in measured if m.scan), None)
    if db and scanned:
        raise SnapError(
            f"{scanned.source}: has more rows than --db can keep; leave --db out, or give a file "
            "of fewer rows"
        )
    aims = targets(measured, metrics)
    scorers = read_contenders(specs, measured, quiet=quiet)
    chosen = POPULATIONS if every else populations or ("all",)
    with progress("Evaluations", len(aims) * len(chosen), quiet=quiet) as advance:
        table = correlations.correlate(
            scorers,
            aims,
            statistics=wanted,
            populations=chosen,
            where=where,
            by=by,
            flip=flip,
            intervals=intervals,
            bootstrap=bootstrap,
            seed=seed,
            advance=advance,
        )
    parquet.write(table, out, "correlations", producer="snap-eval")
    if db:
        store.keep(db, table, scorers, measured)
    for note in show.notes(table):
        say(note, quiet=quiet)
    click.echo(show.as_json(table) if as_json else show.correlations(table))
