"""What several commands share."""

import click

from snap_gcn.recipe import BUNDLED

FILE = click.Path(dir_okay=False)

DEVICE = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where to compute.",
)
QUIET = click.option("--quiet", is_flag=True, help="Say nothing but errors.")
MODEL_HELP = f"Model folder, or one of the bundled predictors: {', '.join(BUNDLED)}."
