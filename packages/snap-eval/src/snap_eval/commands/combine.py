"""`snap-eval combine`."""

import json
import math
from pathlib import Path

import click
from snap_catalog.cli import out_option, quiet_option
from snap_catalog.console import say

from snap_eval.commands.options import (
    graphs_option,
    metric_option,
    read_benchmarks,
    read_contenders,
    scores_option,
)


@click.command()
@scores_option
@graphs_option
@click.option(
    "--weight",
    "given",
    multiple=True,
    metavar="NAME=W",
    help="Weight of a scorer, 1 by default; a weight below 0 negates it. May be repeated.",
)
@click.option(
    "--leave-one-out",
    is_flag=True,
    help="Fit the weights for each benchmark on the metrics of the others.",
)
@metric_option
@out_option("combined.parquet")
@quiet_option
def combine(
    specs: tuple[str, ...],
    graphs: tuple[str, ...],
    given: tuple[str, ...],
    leave_one_out: bool,
    metrics: tuple[str, ...],
    out: Path,
    quiet: bool,
) -> None:
    """Make one scorer of several: the weighted mean of the ranks that they give.

    The result is a scores file of the cells that all of them score.
    """
    from snap_catalog import parquet

    from snap_eval import combination
    from snap_eval.measured import targets
    from snap_eval.scorers import by_name

    if leave_one_out and given:
        raise click.UsageError("--weight and --leave-one-out exclude each other")
    if metrics and not leave_one_out:
        raise click.UsageError("--metric needs --leave-one-out, which fits weights to it")
    weighted = _weights(given)
    parquet.check_writable(out, "scores")
    measured = read_benchmarks(graphs)
    scorers = read_contenders(specs, measured, quiet=quiet)
    if leave_one_out:
        weights = combination.leave_one_out(scorers, targets(measured, metrics), measured)
    else:
        weights = [dict.fromkeys(by_name(scorers), 1.0) | weighted] * len(measured)
    table = combination.combine(scorers, weights, measured)
    parquet.write(table, out, "scores", producer="snap-eval")
    say(f"{out}: scores of {len(table):,} cells", quiet=quiet)
    click.echo(json.dumps({m.name: w for m, w in zip(measured, weights, strict=True)}, indent=2))


def _weights(given: tuple[str, ...]) -> dict[str, float]:
    return dict(map(_weight, given))


def _weight(entry: str) -> tuple[str, float]:
    name, _, number = entry.rpartition("=")
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not name or not math.isfinite(weight):
        raise click.UsageError(f"--weight {entry!r}: give NAME=W with a finite number W")
    return name, weight
