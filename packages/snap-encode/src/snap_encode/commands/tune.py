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
    help="Loss to minimise: supervised contrastive, squared error of cosines, or triplet.",
)
@seed_option
@click.option("--resume", is_flag=True, help="Resume an interrupted run, if there is one.")
@quiet_option
def tune(out: Path, loss: Loss, seed: int, resume: bool, quiet: bool) -> None:
    """Tune all-MiniLM-L6-v2 on operator descriptions.

    The texts are the corpus of snap-catalog. An interrupted run leaves OUT.checkpoint; --resume
    continues it.
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
    help="Encoder to write: a name or a folder.",
)
@quiet_option
def export(out: Path, model: str, quiet: bool) -> None:
    """Export an encoder for plain sentence-transformers.

    DIR is a new folder.
    """
    from snap_encode.tuning.folder import export as write

    write(model, out)
    say(f"{out}: load it with SentenceTransformer({str(out)!r})", quiet=quiet)
