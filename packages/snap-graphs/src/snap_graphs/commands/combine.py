"""`snap-graphs concat` and `snap-graphs join`."""

import click
from snap_catalog.console import say

from snap_graphs.commands.options import Column, by_name, columns_option, declared

_OUT = click.option(
    "-o", "--out", type=click.Path(dir_okay=False), required=True, help="The file to write."
)


@click.command()
@click.argument("files", type=click.Path(dir_okay=False), nargs=-1, required=True)
@_OUT
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def concat(files: tuple[str, ...], out: str, quiet: bool) -> None:
    """Put graphs FILES below one another; metrics that one lacks are empty there."""
    from snap_catalog.parquet import check_writable, read, write

    from snap_graphs.combine import concat as concat_tables

    if len(set(files)) < len(files):
        raise click.UsageError("a file is named twice")
    check_writable(out, "graphs")
    table = concat_tables({file: read(file, "graphs") for file in files})
    write(table, out, "graphs", producer="snap-graphs")
    say(f"{out}: {table.num_rows:,} architectures of {len(files)} files", quiet=quiet)


@click.command()
@click.argument("graphs", type=click.Path(dir_okay=False))
@click.argument("tables", type=click.Path(dir_okay=False), nargs=-1, required=True)
@_OUT
@columns_option
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def join(
    graphs: str, tables: tuple[str, ...], out: str, columns: tuple[Column, ...], quiet: bool
) -> None:
    """Add the metric columns of TABLES to the file GRAPHS.

    A table (CSV, CSV.GZ, Parquet) or graphs file names its architectures in a column arch_id,
    arch, or, for nb101, hash.
    """
    from snap_catalog.parquet import check_writable, read, write

    from snap_graphs.combine import join as join_table
    from snap_graphs.formats.base import Request

    check_writable(out, "graphs")
    result = read(graphs, "graphs")
    request = Request(columns=by_name(columns), declared=declared(columns))
    for table in tables:
        result, matched, unmatched = join_table(result, table, request)
        say(
            f"{table}: {matched:,} of {result.num_rows:,} architectures matched; "
            f"{unmatched:,} of its rows matched none",
            quiet=quiet,
        )
    write(result, out, "graphs", producer="snap-graphs")
