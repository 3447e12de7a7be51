"""`snap-graphs view`."""

import click
from snap_catalog.cli import quiet_option, seed_option
from snap_catalog.console import say


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--blocks", is_flag=True, help="Merge each inverted residual into one node.")
@click.option("--prune", is_flag=True, help="Remove `none` and operators on no path.")
@click.option("--contract-skips", is_flag=True, help="Replace identity operators by edges.")
@click.option("--show-implicit", is_flag=True, help="Insert the operators hidden on input edges.")
@click.option(
    "--insert-identities",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Insert an identity operator on each edge with probability P.",
)
@seed_option
@quiet_option
def view(
    file: str,
    out: str,
    blocks: bool,
    prune: bool,
    contract_skips: bool,
    show_implicit: bool,
    insert_identities: float | None,
    seed: int,
    quiet: bool,
) -> None:
    """Rewrite the graphs of FILE as equivalent graphs.

    The result goes to OUT. Views are applied in the order of the options below.
    """
    import numpy as np
    from snap_catalog.parquet import check_writable, decode_metadata, read, write

    from snap_graphs import views

    wanted = {
        "blocks": blocks,
        "prune": prune,
        "contract-skips": contract_skips,
        "show-implicit": show_implicit,
        f"insert-identities {insert_identities} {seed}": insert_identities is not None,
    }
    names = [name for name, is_wanted in wanted.items() if is_wanted]
    if not names:
        raise click.UsageError("give at least one view, such as --prune")
    check_writable(out, "graphs")
    table = read(file, "graphs")
    if blocks:
        table = views.blocks(table)
    if prune:
        table = views.prune(table)
    if contract_skips:
        table = views.contract_skips(table)
    if show_implicit:
        table = views.show_implicit(table)
    if insert_identities is not None:
        table = views.insert_identities(table, np.random.default_rng(seed), insert_identities)
    before = decode_metadata(table.schema).get("snap.views", "")
    taken = ", ".join(filter(None, [before, *names]))
    write(table, out, "graphs", producer="snap-graphs", metadata={"snap.views": taken})
    classes = len(table["cell_hash"].unique())
    say(f"{out}: {table.num_rows:,} architectures, {classes:,} distinct cells", quiet=quiet)
