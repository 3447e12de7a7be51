"""`snap-graphs info`, `validate` and `draw`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog import SnapError
from snap_catalog.cli import json_option, out_option, quiet_option
from snap_catalog.console import say

if TYPE_CHECKING:
    from snap_graphs.summary import MetricSummary, Summary


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@json_option
def info(file: str, as_json: bool) -> None:
    """Summarise a graphs FILE.

    Prints search spaces, distinct cells, operators, the range of each metric, and provenance.
    """
    from dataclasses import asdict

    from snap_catalog.parquet import read

    from snap_graphs.summary import summarise

    summary = summarise(read(file, "graphs"))
    if as_json:
        click.echo(json.dumps({"file": file, **asdict(summary)}, indent=2))
    else:
        click.echo("\n".join(_lines(file, summary)))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@quiet_option
def validate(file: str, quiet: bool) -> None:
    """Check a FILE of any SNAP tool against its contract."""
    from snap_catalog.parquet import kind, read

    name = kind(file)
    table = read(file, name)
    if name == "graphs":
        from snap_graphs.table import check_architectures

        check_architectures(table, file)
    say(f"{file}: {table.num_rows:,} valid rows, contract {name!r}", quiet=quiet)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--arch", required=True, metavar="ID", help="arch_id of the architecture.")
@out_option(what="SVG or PNG file")
@click.option("--title", help="Title above the drawing.")
def draw(file: str, arch: str, out: Path, title: str | None) -> None:
    """Draw the cell of one architecture in a graphs FILE."""
    import pyarrow.compute as pc
    from snap_catalog.parquet import read

    from snap_graphs.arrays import Graphs
    from snap_graphs.drawing import draw_architecture

    if out.suffix not in (".svg", ".png"):
        raise click.UsageError(f"{out}: unknown format; use .svg or .png")
    table = read(file, "graphs", columns=["space", "arch_id", "nodes", "src", "dst"])
    rows = table.filter(pc.equal(table["arch_id"], arch))
    if not rows.num_rows:
        example = f", such as {table['arch_id'][0]}" if table.num_rows else ""
        raise SnapError(f"{file}: no architecture {arch!r}; give an arch_id of the file{example}")
    cell = next(Graphs.from_table(rows).cells())
    draw_architecture(rows["space"][0].as_py(), cell, out, title=title)


def _lines(file: str, summary: "Summary") -> list[str]:
    spaces = ", ".join(f"{count:,} of {name}" for name, count in summary.spaces.items())
    operators = ", ".join(f"{name} {count:,}" for name, count in summary.operators.items())
    width = max((len(metric.name) for metric in summary.metrics), default=0)
    return [
        f"{file}: {spaces or 'no architectures'}; {summary.classes:,} distinct cells",
        f"operators: {operators}",
        *(_metric_line(metric, width) for metric in summary.metrics),
        *(
            f"{key}: {' '.join(value.split())}"
            for key, value in summary.provenance.items()
            if value
        ),
    ]


def _metric_line(metric: "MetricSummary", width: int) -> str:
    ends = "no values" if metric.low is None else f"{metric.low:.6g} to {metric.high:.6g}"
    better = {"max": "higher is better", "min": "lower is better"}[metric.direction]
    nulls = f", {metric.nulls:,} empty" if metric.nulls else ""
    return f"{metric.name:<{width}}  {ends} {metric.unit}, {better}{nulls}"
