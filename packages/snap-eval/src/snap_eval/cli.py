"""The `snap-eval` command."""

from pathlib import Path

import click
from snap_catalog.console import OneLineErrors, progress, say


@click.group(cls=OneLineErrors)
@click.version_option(package_name="snap-eval")
def main() -> None:
    """Compare scores of architectures with what was measured of them."""


@main.command()
@click.argument("scores", type=click.Path(path_type=Path))
@click.argument("graphs", type=click.Path(path_type=Path))
@click.option(
    "--metric", required=True, help="Metric column of GRAPHS, or an unambiguous shortening of it."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("correlations.parquet"),
    show_default=True,
    help="File to write.",
)
@click.option(
    "--bootstrap",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Resamples for the 95 % intervals; 0 gives none.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the resamples."
)
@click.option("--benchmark", help="Name of the benchmark, where GRAPHS does not say the right one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON rather than a table.")
@click.option("--quiet", is_flag=True, help="Print the result alone.")
def correlate(
    scores: Path,
    graphs: Path,
    metric: str,
    out: Path,
    bootstrap: int,
    seed: int,
    benchmark: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Tell how well SCORES order the cells of GRAPHS by a measured metric.

    Spearman's rho and Kendall's tau-b, each over all cells and over unique cells without
    unreachable operators, with 95 % bootstrap intervals.
    """
    from snap_catalog import parquet

    from snap_eval import correlations, show
    from snap_eval.join import Sources

    sources = Sources(str(scores), str(graphs))
    score_table, graph_table = parquet.read(scores, "scores"), parquet.read(graphs, "graphs")
    with progress("Bootstrap resamples", 2 * bootstrap, quiet=quiet) as advance:
        table = correlations.correlate(
            score_table,
            graph_table,
            metric,
            bootstrap=bootstrap,
            seed=seed,
            benchmark=benchmark,
            sources=sources,
            advance=advance,
        )
    parquet.write(table, out, "correlations", producer="snap-eval")
    for note in show.notes(table, sources):
        say(note, quiet=quiet)
    if as_json:
        click.echo(show.as_json(table))
    else:
        show.print_table(table)
