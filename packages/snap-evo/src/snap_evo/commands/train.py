"""`snap-evo train`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from snap_catalog.cli import out_option, quiet_option, seed_option

from snap_evo.commands import options

if TYPE_CHECKING:
    from snap_evo.training.recipe import Augmentation


def _augmentations(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> "tuple[Augmentation, ...] | None":
    from snap_evo.training.recipe import read_augmentations

    try:
        return None if text is None else read_augmentations(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@options.best_argument
@options.best_space_option
@click.option(
    "--data",
    required=True,
    type=click.Path(),
    help="A folder of images (train/CLASS/IMAGE and val/CLASS/IMAGE, or CLASS/IMAGE), or an .npz "
    "of arrays.",
)
@options.together(
    "recipe",
    dict,
    click.option("--epochs", type=click.IntRange(1, 100_000), help="Passes over all images."),
    click.option("--batch-size", type=click.IntRange(2, 2**16), help="Images per step."),
    click.option(
        "--learning-rate",
        type=options.Finite(0, 100, min_open=True),
        help="Learning rate of the first epoch.",
    ),
    click.option(
        "--augment",
        callback=_augmentations,
        metavar="KINDS",
        help="Random augmentations of training images: some of crop+flip+cutout, or none.",
    ),
)
@options.size_options
@seed_option
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    help="Where to train. Default: cuda if there is a graphics card.",
)
@out_option(".", kind="folder")
@click.option("--resume", is_flag=True, help="Resume the training of the same command.")
@options.code_option
@quiet_option
def train(
    best: str,
    space: str | None,
    data: str,
    recipe: dict[str, Any],
    size: dict[str, int | None],
    seed: int,
    device: str | None,
    out: Path,
    resume: bool,
    allow_code: bool,
    quiet: bool,
) -> None:
    """Train the network of the cell in the file BEST (best.json) on images of your own.

    The default settings are those of the authors of the space's benchmark. The last line printed
    is JSON with the validation accuracy.
    """
    from snap_catalog.extras import require

    from snap_evo.architecture import read_architecture

    require("snap-evo[train]", "torch", "safetensors", "PIL")
    from snap_evo.training.job import Job
    from snap_evo.training.output import Folder

    folder = Folder.of(out)
    job = Job.of(
        read_architecture(best, space, allow_code=allow_code),
        data,
        {name: value for name, value in recipe.items() if value is not None},
        **size,
        seed=seed,
        device=device,
    )
    state = folder.begun(job, resume=resume)

    def kept() -> str:
        if not folder.checkpoint.exists():
            return "Stopped before the first epoch was over"
        return (
            f"Stopped; {folder.checkpoint} holds every finished epoch: run the same command with "
            "--resume"
        )

    with options.say_if_ended(kept, (KeyboardInterrupt,)):
        state = job.train(state, lambda state: folder.keep(job, state), quiet=quiet)
    click.echo(json.dumps(folder.finish(job, state)))
