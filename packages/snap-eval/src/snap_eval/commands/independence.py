"""`snap-eval independence`."""

import json
from pathlib import Path

import click
from snap_catalog.cli import json_option, out_option, quiet_option, seed_option

from snap_eval.commands.options import (
    graphs_option,
    read_benchmarks,
    read_contenders,
    scores_option,
)


@click.command()
@scores_option
@graphs_option
@click.option(
    "--cells",
    type=click.IntRange(min=2),
    default=1000,
    show_default=True,
    help="Number of cells to draw from the cells that all scorers score.",
)
@out_option("independence.parquet")
@seed_option
@json_option
@quiet_option
def independence(
    specs: tuple[str, ...],
    graphs: tuple[str, ...],
    cells: int,
    out: Path,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Report how alike all pairs of scorers order the cells of benchmarks.

    Scorers that order cells alike, or in reverse, stand side by side.
    """
    from snap_catalog import parquet

    from snap_eval import independence as pairs
    from snap_eval import show

    parquet.check_writable(out, "independence")
    measured = read_benchmarks(graphs)
    scorers = read_contenders(specs, measured, quiet=quiet)
    table = pairs.independence(scorers, measured, cells=cells, seed=seed)
    parquet.write(table, out, "independence", producer="snap-eval")
    click.echo(json.dumps(table.to_pylist(), indent=2) if as_json else show.independence(table))
