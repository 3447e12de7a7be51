"""`snap-gcn export`."""

from pathlib import Path

import click
from snap_catalog.console import say

from snap_gcn.commands.options import FILE, MODEL_HELP, QUIET


@click.command(help=f"Write the networks of MODEL as the ONNX file OUT.\n\nMODEL: {MODEL_HELP}")
@click.argument("model")
@click.argument("out", type=FILE)
@QUIET
def export(model: str, out: str, quiet: bool) -> None:
    """Copy `model.onnx` out of a model folder."""
    from snap_catalog.parquet import replacing

    from snap_gcn.model.folder import load, locate

    networks = load(locate(model)).networks
    with replacing(Path(out)) as temporary:
        temporary.write_bytes(networks)
    say(f"{out}: the networks of {model}, as snap-gcn's README describes them", quiet=quiet)
