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
    help="Input shape of the networks, without the batch dimension: 3x224x224, or int64:128 for "
    "128 tokens. Repeat for several inputs, in order; NAME= passes an input by keyword. A shape "
    "that SOURCE yields takes precedence.",
)
@click.option("--space", help="Search space to record; default: the name of the file or module.")
@click.option("--skip-bad", is_flag=True, help="Skip networks that cannot be traced.")
@quiet_option
def trace(
    source: str,
    out: str,
    shapes: tuple[str, ...],
    space: str | None,
    skip_bad: bool,
    quiet: bool,
) -> None:
    """Trace PyTorch networks to graphs in the Parquet file OUT. This runs the code of SOURCE.

    SOURCE is file.py:function or package.module:function. The function takes no arguments. It
    returns a module, or yields (name, module) or (name, module, input_shape). It runs on the meta
    device: no weights are allocated and nothing is computed.

    An interrupted run leaves OUT.partial; run the same command to resume.
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
            raise SnapError(f"{source}: none of its networks could be traced")
        table = network_table(space, list(traced.networks), list(traced.networks.values()))
        write(table, out, "graphs", producer="snap-graphs")
    except BaseException:
        _leave(checkpoint)
        raise
    checkpoint.remove()
    _report(out, traced, quiet)


def _leave(checkpoint: "Checkpoint") -> None:
    """Report how many networks an interrupted run has traced."""
    if not checkpoint.count:
        checkpoint.remove()
        return
    kept = counted(checkpoint.count, "network")
    say(f"{checkpoint.path}: keeps {kept}; run the same command to resume")


def _report(out: str, traced: "Traced", quiet: bool) -> None:
    notes = [counted(len(traced.networks), "network")]
    notes += [f"{traced.resumed:,} from an interrupted run"] * bool(traced.resumed)
    notes += [f"{traced.bad:,} skipped"] * bool(traced.bad)
    say(f"{out}: {', '.join(notes)}", quiet=quiet)
