"""`snap-gcn convert`."""

from pathlib import Path

import click
from snap_catalog.console import say

from snap_gcn.commands.options import QUIET, needed

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
@QUIET
def convert(old: Path, new: Path, quiet: bool) -> None:
    """Write the model folder OLD, of an earlier format, as the model folder NEW."""
    from snap_gcn.model.conversion import convert as converted
    from snap_gcn.model.folder import check_free, save

    check_free(new)
    with needed("train", "convert"):
        model = converted(old)
    save(model, new)
    say(f"{new}: the weights of {old}", quiet=quiet)
