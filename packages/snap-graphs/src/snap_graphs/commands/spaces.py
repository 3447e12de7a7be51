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
    help="Import (and so run) the code that a TOML space names, to count network costs.",
)


def _find(name: str, allow_code: bool, quiet: bool) -> "Space":
    """Return a space, and report if code that it names is not imported."""
    from snap_graphs.spaces import space

    found = space(name, allow_code=allow_code)
    if found.withheld_code:
        say(found.withheld_code, quiet=quiet)
    return found


@click.command("enumerate")
@click.argument("space")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--unique", is_flag=True, help="Keep one architecture per cell_hash.")
@click.option("--hashes", is_flag=True, help="Add NAS-Bench-101's own MD5 hashes (a minute more).")
@code_option
@quiet_option
def enumerate_(
    space: str, out: str, unique: bool, hashes: bool, allow_code: bool, quiet: bool
) -> None:
    """Write every cell of SPACE to the Parquet file OUT."""
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.space_tables import list_space, one_per_class

    check_writable(out, "graphs")
    found = _find(space, allow_code, quiet)
    with progress(f"listing {space}", found.count(), quiet=quiet) as advance:
        table = list_space(found, advance, hashes=hashes)
    if unique:
        table = one_per_class(table)
    write(table, out, "graphs", producer="snap-graphs")
    classes = len(table["cell_hash"].unique())
    say(f"{out}: {table.num_rows:,} architectures, {classes:,} distinct cells", quiet=quiet)


@click.command()
@click.argument("space")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("-n", "count", type=click.IntRange(min=1), required=True, help="Number to sample.")
@seed_option
@code_option
@quiet_option
def sample(space: str, out: str, count: int, seed: int, allow_code: bool, quiet: bool) -> None:
    """Sample distinct architectures of SPACE to OUT.

    OUT is a Parquet file. All native strings are equally likely (for nb101: all valid matrices of
    seven vertices).
    """
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.space_tables import sample_space

    check_writable(out, "graphs")
    found = _find(space, allow_code, quiet)
    table = sample_space(found, count, seed)
    write(table, out, "graphs", producer="snap-graphs", metadata={"snap.seed": str(seed)})
    say(f"{out}: {table.num_rows:,} architectures of {space}", quiet=quiet)
