"""`snap-gcn card`."""

import click
from snap_catalog import SnapError

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
