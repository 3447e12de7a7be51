"""`snap-graphs enumerate` and `snap-graphs sample`."""

import click
from snap_catalog.console import progress, say


@click.command("enumerate")
@click.argument("space")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--unique", is_flag=True, help="Keep one architecture a cell_hash.")
@click.option("--hashes", is_flag=True, help="Add NAS-Bench-101's own MD5 hashes (a minute more).")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def enumerate_(space: str, out: str, unique: bool, hashes: bool, quiet: bool) -> None:
    """List every cell of SPACE in the Parquet file OUT."""
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.listing import list_space, one_a_class
    from snap_graphs.spaces import space as find

    check_writable(out, "graphs")
    with progress(f"listing {space}", find(space).count(), quiet=quiet) as advance:
        table = list_space(space, advance, hashes=hashes)
    if unique:
        table = one_a_class(table)
    write(table, out, "graphs", producer="snap-graphs")
    classes = len(table["cell_hash"].unique())
    say(f"{out}: {table.num_rows:,} architectures, {classes:,} different cells", quiet=quiet)


@click.command()
@click.argument("space")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("-n", "count", type=click.IntRange(min=1), required=True, help="How many to draw.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the draw."
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def sample(space: str, out: str, count: int, seed: int, quiet: bool) -> None:
    """Draw different architectures of SPACE at random into the Parquet file OUT.

    Native strings are equally likely (for nb101: valid matrices of seven vertices).
    """
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.listing import sample_space

    check_writable(out, "graphs")
    table = sample_space(space, count, seed)
    write(table, out, "graphs", producer="snap-graphs", metadata={"snap.seed": str(seed)})
    say(f"{out}: {table.num_rows:,} architectures of {space}", quiet=quiet)
