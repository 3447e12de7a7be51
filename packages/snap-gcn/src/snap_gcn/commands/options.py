"""What several commands share."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from snap_catalog import SnapError

from snap_gcn.model.recipe import BUNDLED

FILE = click.Path(dir_okay=False)

DEVICE = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where to compute.",
)
FEATURES = click.option(
    "--features",
    multiple=True,
    type=FILE,
    help="Scores of another scorer to look at besides; may be given several times.",
)
QUIET = click.option("--quiet", is_flag=True, help="Say nothing but errors.")
MODEL_HELP = f"Model folder, or one of the bundled predictors: {', '.join(BUNDLED)}."


@contextmanager
def needed(extra: str, command: str) -> Iterator[None]:
    """Report in one line that a command lacks an extra of this package.

    Raises:
        SnapError: naming it and how to get it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise SnapError(
            f"snap-gcn {command}: {error.name} is not installed; "
            f"run: pip install 'snap-gcn[{extra}]' (in the repository: uv run --group {extra} ...)"
        ) from error
