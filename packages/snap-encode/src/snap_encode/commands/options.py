"""Options that several commands take."""

from typing import get_args

import click
from snap_catalog.catalog import Length

from snap_encode.models import DEFAULT_MODEL, KNOWN

model_option = click.option(
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    help=f"Encoder: {', '.join(KNOWN)}, a folder, or a name on the Hugging Face hub.",
)
length_option = click.option(
    "--length",
    type=click.Choice(get_args(Length)),
    help="Catalog description to encode.  [default: short]",
)
