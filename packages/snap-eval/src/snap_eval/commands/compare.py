"""`snap-eval compare`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from snap_catalog.cli import json_option, quiet_option, seed_option

from snap_eval.commands.options import (
    all_option,
    bootstrap_option,
    chosen_statistics,
    population_option,
    read_benchmarks,
    read_contenders,
    statistic_option,
)

if TYPE_CHECKING:
    from snap_eval.measured import Measured
    from snap_eval.scorers import Scorer


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--graphs", required=True, metavar="[NAME=]FILE", help="Benchmark: a graphs file.")
@click.option("--metric", required=True, help="Metric column, or an unambiguous shortening of it.")
@statistic_option
@all_option("every statistic")
@population_option(default="all", show_default=True, help="Set of cells to compare on.")
@bootstrap_option
@seed_option
@json_option
@quiet_option
def compare(
    first: str,
    second: str,
    graphs: str,
    metric: str,
    statistics: tuple[str, ...],
    every: bool,
    population: str,
    bootstrap: int,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Report whether scorer A or scorer B is better, on the cells that both score.

    A and B are as for `correlate --scores`; quote a `*` that stands for several seeds' files.
    The 95 % interval of the difference is from resamples that both share.
    """
    from snap_eval import comparison, show
    from snap_eval.measured import targets

    wanted = chosen_statistics(statistics, every=every)
    measured = read_benchmarks([graphs])
    (target,) = targets(measured, [metric])
    found = comparison.compare(
        _models(first, measured, quiet),
        _models(second, measured, quiet),
        target,
        population=population,
        statistics=wanted,
        bootstrap=bootstrap,
        seed=seed,
    )
    click.echo(json.dumps(show.plain(found), indent=2) if as_json else show.comparison(found))


def _models(spec: str, measured: Sequence["Measured"], quiet: bool) -> list["Scorer"]:
    """Read the models of one scorer, which is called as they are, or else as it is specified.

    Scorers of one file keep their names, so that they are not taken for seeds of one.
    """
    models = read_contenders([spec], measured, quiet=quiet)
    alike = len({model.name for model in models}) == 1
    apart = any(model.is_one_of_several for model in models)
    return models if alike or apart else [replace(model, name=spec) for model in models]
