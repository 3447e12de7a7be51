"""`snap-graphs concat` and `snap-graphs join`."""

from pathlib import Path

import click
from snap_catalog.cli import out_option, quiet_option
from snap_catalog.console import say

from snap_graphs.commands.options import Column, columns_option, request_for


@click.command()
@click.argument("files", type=click.Path(dir_okay=False), nargs=-1, required=True)
@out_option()
@quiet_option
def concat(files: tuple[str, ...], out: Path, quiet: bool) -> None:
    """Concatenate the rows of graphs FILES.

    A metric that is missing from a file is empty in the rows of that file.
    """
    from snap_catalog.parquet import check_writable, read, write

    from snap_graphs.combine import concat as concat_tables

    if len(set(files)) < len(files):
        raise click.UsageError("a file is given twice; give each file once")
    check_writable(out, "graphs")
    table = concat_tables({file: read(file, "graphs") for file in files})
    write(table, out, "graphs", producer="snap-graphs")
    say(f"{out}: {table.num_rows:,} architectures from {len(files)} files", quiet=quiet)


@click.command()
@click.argument("graphs", type=click.Path(dir_okay=False))
@click.argument("tables", type=click.Path(dir_okay=False), nargs=-1, required=True)
@out_option()
@columns_option
@quiet_option
def join(
    graphs: str, tables: tuple[str, ...], out: Path, columns: tuple[Column, ...], quiet: bool
) -> None:
    """Add the metric columns of TABLES to the file GRAPHS.

    A table is a CSV, CSV.GZ or Parquet file, or another graphs file. Its column arch_id, arch or
    (for nb101) hash identifies the architectures.
    """
    from snap_catalog.parquet import check_writable, read, write

    from snap_graphs.combine import join as join_table

    check_writable(out, "graphs")
    result = read(graphs, "graphs")
    request = request_for(columns)
    for table in tables:
        result, matched, unmatched = join_table(result, table, request)
        say(
            f"{table}: {matched:,} of {result.num_rows:,} architectures matched; "
            f"{unmatched:,} rows of the table matched none",
            quiet=quiet,
        )
    write(result, out, "graphs", producer="snap-graphs")
