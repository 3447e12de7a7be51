"""`snap-graphs enumerate` and `snap-graphs sample`."""

from typing import TYPE_CHECKING

import click
from snap_catalog.cli import quiet_option, seed_option
from snap_catalog.console import progress, say

if TYPE_CHECKING:
    from snap_graphs.spaces import Space

code_option = click.option(
    "--allow-code",
    is_flag=True,
    help="Import, and so run, the code that a TOML space names, to count what networks cost.",
)


def _say_withheld(home: "Space", quiet: bool) -> None:
    """Say in a line that code which a space names is not imported, where that is so."""
    if home.withheld_code:
        say(home.withheld_code, quiet=quiet)


@click.command("enumerate")
@click.argument("space")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--unique", is_flag=True, help="Keep one architecture a cell_hash.")
@click.option("--hashes", is_flag=True, help="Add NAS-Bench-101's own MD5 hashes (a minute more).")
@code_option
@quiet_option
def enumerate_(
    space: str, out: str, unique: bool, hashes: bool, allow_code: bool, quiet: bool
) -> None:
    """List every cell of SPACE in the Parquet file OUT."""
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.space_tables import list_space, one_per_class
    from snap_graphs.spaces import space as find

    check_writable(out, "graphs")
    home = find(space, allow_code=allow_code)
    _say_withheld(home, quiet)
    with progress(f"listing {space}", home.count(), quiet=quiet) as advance:
        table = list_space(home, advance, hashes=hashes)
    if unique:
        table = one_per_class(table)
    write(table, out, "graphs", producer="snap-graphs")
    classes = len(table["cell_hash"].unique())
    say(f"{out}: {table.num_rows:,} architectures, {classes:,} different cells", quiet=quiet)


@click.command()
@click.argument("space")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("-n", "count", type=click.IntRange(min=1), required=True, help="How many to draw.")
@seed_option
@code_option
@quiet_option
def sample(space: str, out: str, count: int, seed: int, allow_code: bool, quiet: bool) -> None:
    """Draw different architectures of SPACE at random into the Parquet file OUT.

    Native strings are equally likely (for nb101: valid matrices of seven vertices).
    """
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.space_tables import sample_space
    from snap_graphs.spaces import space as find

    check_writable(out, "graphs")
    home = find(space, allow_code=allow_code)
    _say_withheld(home, quiet)
    table = sample_space(home, count, seed)
    write(table, out, "graphs", producer="snap-graphs", metadata={"snap.seed": str(seed)})
    say(f"{out}: {table.num_rows:,} architectures of {space}", quiet=quiet)
