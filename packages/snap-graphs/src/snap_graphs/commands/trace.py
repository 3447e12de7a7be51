"""`snap-graphs trace`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog import SnapError
from snap_catalog.cli import quiet_option
from snap_catalog.console import counted, progress, say

if TYPE_CHECKING:
    from snap_graphs.torch.trace import Checkpoint, Traced


@click.command()
@click.argument("source")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option(
    "--input",
    "shapes",
    multiple=True,
    metavar="[NAME=][TYPE:]SHAPE",
    help="What the networks are called with, without the batch dimension: 3x224x224, or int64:128 "
    "for 128 tokens. Repeat it for several inputs, in order; NAME= gives one by keyword. A shape "
    "that SOURCE yields goes first.",
)
@click.option("--space", help="Search space to file them under; the file's or module's name.")
@click.option("--skip-bad", is_flag=True, help="Leave out networks that cannot be traced.")
@quiet_option
def trace(
    source: str,
    out: str,
    shapes: tuple[str, ...],
    space: str | None,
    skip_bad: bool,
    quiet: bool,
) -> None:
    """Trace PyTorch networks into graphs in the Parquet file OUT. This runs the code of SOURCE.

    SOURCE is file.py:function or package.module:function. The function takes no arguments and
    returns a module, or yields (name, module) or (name, module, input_shape). It is called on the
    meta device: no weights are allocated and nothing is computed.

    A stopped run leaves OUT.partial; the same command goes on from there.
    """
    from snap_catalog.extras import require
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.networks import network_table
    from snap_graphs.networks.table import check_space

    require("snap-graphs[torch]", "torch")
    check_writable(out, "graphs")
    from snap_graphs.torch.trace import Checkpoint, Inputs, Source, parse_input, trace_source

    origin = Source.of(source)
    space = space or origin.name
    check_space(space)
    inputs = Inputs(tuple(map(parse_input, shapes))) if shapes else None
    opened = origin.open()
    checkpoint = Checkpoint(Path(f"{out}.partial"))
    try:
        with progress(f"tracing {origin.name}", opened.count, quiet=quiet) as advance:
            traced = trace_source(opened, inputs, checkpoint, advance, say if skip_bad else None)
        if not traced.networks:
            raise SnapError(f"{source}: no network of it could be traced")
        table = network_table(space, list(traced.networks), list(traced.networks.values()))
        write(table, out, "graphs", producer="snap-graphs")
    except BaseException:
        _leave(checkpoint)
        raise
    checkpoint.remove()
    _report(out, traced, quiet)


def _leave(checkpoint: "Checkpoint") -> None:
    """Report what a run that did not finish has traced."""
    if not checkpoint.count:
        checkpoint.remove()
        return
    kept = counted(checkpoint.count, "network")
    say(f"{checkpoint.path}: keeps {kept}; the same command goes on from there")


def _report(out: str, traced: "Traced", quiet: bool) -> None:
    notes = [counted(len(traced.networks), "network")]
    notes += [f"{traced.resumed:,} of them from a stopped run"] * bool(traced.resumed)
    notes += [f"{traced.bad:,} left out"] * bool(traced.bad)
    say(f"{out}: {', '.join(notes)}", quiet=quiet)
