"""`snap-encode tune` and `export`."""

from pathlib import Path

import click
from snap_catalog.cli import out_option, quiet_option, seed_option
from snap_catalog.console import say

from snap_encode.tuning.recipe import RECIPES, Loss

_LOSSES = list(RECIPES)


@click.command()
@out_option(kind="folder", what="New folder")
@click.option(
    "--loss",
    type=click.Choice(_LOSSES),
    default=_LOSSES[0],
    show_default=True,
    help="What is minimised: a supervised contrastive loss, the squared error of cosines, or the "
    "triplet loss.",
)
@seed_option
@click.option("--resume", is_flag=True, help="Go on where a stopped run was, if there was one.")
@quiet_option
def tune(out: Path, loss: Loss, seed: int, resume: bool, quiet: bool) -> None:
    """Tune all-MiniLM-L6-v2 on the catalog's corpus of operator descriptions.

    A stopped run leaves OUT.checkpoint, from which --resume goes on.
    """
    from snap_encode.tuning.tune import tune as run

    run(out, RECIPES[loss], seed=seed, resume=resume, quiet=quiet)
    say(f"{out}: tuned; encode with --model {out}", quiet=quiet)


@click.command()
@click.argument("out", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--model",
    default="snap-minilm",
    show_default=True,
    help="The encoder to write, by name or folder.",
)
@quiet_option
def export(out: Path, model: str, quiet: bool) -> None:
    """Write an encoder to the new folder DIR, for plain sentence-transformers."""
    from snap_encode.tuning.folder import export as write

    write(model, out)
    say(f"{out}: load it with SentenceTransformer({str(out)!r})", quiet=quiet)
