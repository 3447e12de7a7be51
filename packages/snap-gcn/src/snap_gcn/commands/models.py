"""`snap-gcn card`, `snap-gcn export` and `snap-gcn convert`, which read model folders."""

from pathlib import Path

import click
from snap_catalog import SnapError
from snap_catalog.cli import FILE, FOLDER, quiet_option
from snap_catalog.console import say

from snap_gcn.commands.options import MODEL_HELP, needed
from snap_gcn.model.recipe import BUNDLED


@click.command()
@click.argument("model", default=BUNDLED[0])
def card(model: str) -> None:
    """Print the model card of MODEL, a model folder or a bundled predictor (default: snap)."""
    from snap_gcn.model.folder import locate

    path = locate(model) / "README.md"
    try:
        click.echo(path.read_text("utf-8"), nl=False)
    except (OSError, UnicodeError) as error:
        raise SnapError(f"{path}: no model card can be read here; name a model folder") from error


@click.command(help=f"Write the networks of MODEL as the ONNX file OUT.\n\nMODEL: {MODEL_HELP}")
@click.argument("model")
@click.argument("out", type=FILE)
@quiet_option
def export(model: str, out: Path, quiet: bool) -> None:
    """Copy `model.onnx` out of a model folder."""
    from snap_catalog.parquet import replacing

    from snap_gcn.model.folder import load, locate

    networks = load(locate(model)).networks
    with replacing(out) as temporary:
        temporary.write_bytes(networks)
    say(f"{out}: the networks of {model}; snap-gcn's README describes the inputs", quiet=quiet)


@click.command()
@click.argument("old", type=FOLDER)
@click.argument("new", type=FOLDER)
@quiet_option
def convert(old: Path, new: Path, quiet: bool) -> None:
    """Convert the model folder OLD, in an earlier format, to the model folder NEW."""
    from snap_gcn.model.conversion import convert as converted
    from snap_gcn.model.folder import check_free, save

    check_free(new)
    with needed("train", "convert"):
        model = converted(old)
    save(model, new)
    say(f"{new}: the weights of {old}", quiet=quiet)
