"""The options and checks that several commands share."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from snap_catalog import SnapError
from snap_catalog.cli import FILE

from snap_gcn.model.recipe import BUNDLED

device_option = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Device to compute on.",
)
features_option = click.option(
    "--features",
    multiple=True,
    type=FILE,
    help="Scores of another scorer to use as a feature; may be repeated.",
)
MODEL_HELP = f"Model folder, or one of the bundled predictors: {', '.join(BUNDLED)}."
model_option = click.option("--model", default=BUNDLED[0], show_default=True, help=MODEL_HELP)


@contextmanager
def needed(extra: str, command: str) -> Iterator[None]:
    """Report a missing extra of this package in one line.

    Raises:
        SnapError: names the extra and how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise SnapError(
            f"snap-gcn {command}: {error.name} is not installed; "
            f"run: pip install 'snap-gcn[{extra}]' (in the repository: uv run --group {extra} ...)"
        ) from error
