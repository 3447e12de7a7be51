"""`snap-eval report`."""

from pathlib import Path

import click
from snap_catalog.cli import quiet_option
from snap_catalog.console import say

from snap_eval.commands.options import PATH


@click.command()
@click.argument("out", type=PATH)
@click.option(
    "--results",
    type=PATH,
    default=Path("results"),
    show_default=True,
    help="Folder of the Parquet files to draw from; folders in it are read too.",
)
@click.option("--title", default="SNAP: results", show_default=True, help="Heads the page.")
@quiet_option
def report(out: Path, results: Path, title: str, quiet: bool) -> None:
    """Draw a folder of results as OUT, one HTML page that loads nothing from elsewhere."""
    from snap_catalog import parquet
    from snap_catalog.extras import require

    require("snap-eval[report]", "altair", "jinja2", "snap_graphs", "vl_convert")
    parquet.check_writable(out)
    from snap_eval.report.render import render
    from snap_eval.report.results import read_results
    from snap_eval.report.sections import SECTIONS

    page = render(read_results(results), SECTIONS, title)
    with parquet.replacing(out) as temporary:
        temporary.write_text(page, "utf-8")
    say(f"{out}: {len(page.encode()):,} bytes, drawn from {results}", quiet=quiet)
