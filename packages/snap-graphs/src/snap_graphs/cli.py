"""The command `snap-graphs`."""

import click
from snap_catalog.console import OneLineErrors

from snap_graphs.commands.catalog import catalog, fetch
from snap_graphs.commands.combine import concat, join
from snap_graphs.commands.convert import convert
from snap_graphs.commands.inspect import draw, info, validate
from snap_graphs.commands.spaces import enumerate_, sample
from snap_graphs.commands.trace import trace
from snap_graphs.commands.view import view


@click.group(cls=OneLineErrors)
@click.version_option(package_name="snap-graphs")
def main() -> None:
    """Convert benchmarks, search spaces and networks to graphs in one Parquet file."""


for command in (
    convert,
    trace,
    enumerate_,
    sample,
    info,
    validate,
    draw,
    view,
    concat,
    join,
    catalog,
    fetch,
):
    main.add_command(command)
