"""The command `snap-graphs`."""

import click
from snap_catalog.console import OneLineErrors, say


@click.group(cls=OneLineErrors)
@click.version_option(package_name="snap-graphs")
def main() -> None:
    """Hold benchmarks of neural architecture search as graphs in one Parquet file."""


@main.command()
@click.argument("benchmark")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--source", type=click.Path(dir_okay=False), help="Table (CSV, CSV.GZ or Parquet).")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def convert(benchmark: str, out: str, source: str | None, quiet: bool) -> None:
    """Convert BENCHMARK (nb101 or nb201) to the Parquet file OUT.

    nb101 reads a table with the columns n_vertices, adj_upper and ops; nb201 one with the column
    arch, or, without --source, the installed data package analog-nasbench. Columns named
    <dataset>/<split>/<metric> come along as metrics.
    """
    from snap_catalog.parquet import write

    from snap_graphs.convert import convert as convert_benchmark

    table = convert_benchmark(benchmark, source)
    write(table, out, "graphs", producer="snap-graphs")
    classes = len(set(table["cell_hash"].to_pylist()))
    say(f"{out}: {table.num_rows:,} architectures, {classes:,} different cells", quiet=quiet)
