"""`snap-gcn export`."""

import click
from snap_catalog.console import say

from snap_gcn.commands.options import FILE, QUIET


@click.command()
@click.argument("model")
@click.argument("out", type=FILE)
@QUIET
def export(model: str, out: str, quiet: bool) -> None:
    """Write MODEL, a model folder or a bundled predictor, as the ONNX file OUT.

    What the file computes is compared with what the predictor does before it is kept.
    """
    from snap_catalog.parquet import check_writable

    from snap_gcn.export import export as write_onnx
    from snap_gcn.predictor import Predictor

    check_writable(out)
    predictor = Predictor.load(model)
    error = write_onnx(predictor, out)
    say(f"{out}: scores as {predictor.name} does, to {error:.0e}", quiet=quiet)
