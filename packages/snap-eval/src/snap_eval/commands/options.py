"""Options that several commands share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from snap_catalog.console import say

if TYPE_CHECKING:
    from snap_eval.measured import Measured
    from snap_eval.scorers import Scorer

_Decorator = Callable[[Callable[..., None]], Callable[..., None]]
PATH = click.Path(path_type=Path)

scores_option = click.option(
    "--scores",
    "specs",
    multiple=True,
    required=True,
    metavar="[NAME=]FILE[:COLUMN]",
    help="Scorer: a column of a Parquet or CSV file, `score` if no column is given, or a scorer of "
    "a scores file, all of them if none is given; without FILE, a column of the graphs. May be "
    "repeated.",
)
graphs_option = click.option(
    "--graphs",
    multiple=True,
    required=True,
    metavar="[NAME=]FILE",
    help="Benchmark: a graphs file or a CSV table, or several that a pattern fits, and its name. "
    "May be repeated.",
)
metric_option = click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="Metric column of the graphs, or an unambiguous shortening of it; every test and "
    "validation metric if none is given. May be repeated.",
)
statistic_option = click.option(
    "--statistic",
    "statistics",
    multiple=True,
    help="Statistic to report; if none is given, spearman, kendall_tau_b, spearman@top10%, best@10 "
    "and regret@10. May be repeated.",
)
bootstrap_option = click.option(
    "--bootstrap",
    type=click.IntRange(0, 10**6),
    default=1000,
    show_default=True,
    help="Resamples for the 95 % intervals; 0 for no intervals.",
)
where_option = click.option(
    "--where",
    default="",
    metavar="SQL",
    help="Condition that cells must meet, on columns of the graphs: 'params < 1e6 AND depth > 3'.",
)
by_option = click.option(
    "--by",
    default="",
    metavar="COLUMN",
    help="Column of the graphs, or an expression in SQL: report on each of its values.",
)
intervals_option = click.option(
    "--intervals",
    type=click.Choice(["closed", "bootstrap"]),
    default="closed",
    show_default=True,
    help="Closed forms if a statistic has one, or the bootstrap for all statistics.",
)


def all_option(what: str) -> _Decorator:
    """Return the option `--all`."""
    return click.option("--all", "every", is_flag=True, help=f"Report {what}.")


def population_option(*names: str, **settings: Any) -> _Decorator:
    """Return the option `--population`."""
    choice = click.Choice(["all", "unique", "unique_reachable"])
    return click.option("--population", *names, type=choice, **settings)


def read_benchmarks(graphs: Sequence[str], *, scan: bool = False) -> list["Measured"]:
    """Read the benchmarks of `--graphs`."""
    from snap_eval.measured import read_measured

    return [read_measured(spec, scan=scan) for spec in graphs]


def read_contenders(
    specs: Sequence[str], measured: Sequence["Measured"], *, quiet: bool
) -> list["Scorer"]:
    """Read scorers, and report which of their cells no benchmark has."""
    from snap_eval.scorer_files import read_scorers

    scorers = read_scorers(specs, measured)
    for scorer in scorers:
        if any(one.scan for one in measured):
            continue
        lone = scorer.unmatched(measured)
        if lone:
            first = ", ".join(lone[:3]) + (", ..." if len(lone) > 3 else "")
            note = f"{scorer.source}: {len(lone):,} scored cells are in no graphs: {first}"
            say(note, quiet=quiet)
    return scorers


def chosen_statistics(named: Sequence[str], *, every: bool) -> Sequence[str]:
    """Return the statistics to report: the given ones, the main ones if none is given, or all.

    Raises:
        click.UsageError: a statistic is unknown, or some are given with `--all`.
    """
    from snap_eval.statistics import DEFAULT, names

    if every and named:
        raise click.UsageError("--all reports every statistic; leave --statistic out")
    for statistic in named:
        if statistic not in names():
            known = ", ".join(names())
            raise click.UsageError(f"no statistic {statistic!r}; choose of: {known}")
    return names() if every else named or DEFAULT
