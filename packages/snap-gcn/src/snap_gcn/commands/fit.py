"""`snap-gcn fit`."""

import sys
from pathlib import Path

import click
from snap_catalog.cli import FILE, FOLDER, out_option, quiet_option, seed_option
from snap_catalog.console import say

from snap_gcn.commands.options import device_option, needed
from snap_gcn.model.recipe import PRESETS, Schedule


@click.command()
@click.argument("graphs", type=FILE, required=False)
@click.option(
    "--source",
    type=click.Path(),
    help="Without GRAPHS: NAS-Bench-101 in a form that snap-graphs converts. Default: the cache.",
)
@click.option(
    "--operators",
    type=FILE,
    help="Vectors of the operators. Default: the catalog's operators by the preset's encoder.",
)
@click.option(
    "--metric", help="Metric to regress; part of its name will do. Default: the file's only metric."
)
@out_option("model", kind="folder", what="Model folder")
@click.option("--preset", type=click.Choice(sorted(PRESETS)), default="snap", show_default=True)
@click.option("--schedule", type=click.Choice(["full", "short"]), default="full", show_default=True)
@seed_option
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop a member after N epochs without a better tau on the held-out cells.",
)
@device_option
@click.option("--resume", is_flag=True, help="Resume this command after it was stopped.")
@click.option("--tensorboard", type=FOLDER, metavar="DIR", help="Log loss and tau to this folder.")
@quiet_option
def fit(
    graphs: Path | None,
    source: str | None,
    operators: Path | None,
    metric: str | None,
    out: Path,
    preset: str,
    schedule: Schedule,
    seed: int,
    patience: int | None,
    device: str,
    resume: bool,
    tensorboard: Path | None,
    quiet: bool,
) -> None:
    """Train a predictor on the Parquet file GRAPHS, by default on NAS-Bench-101.

    A tenth of the cells, chosen by their hash, is held out for validation. After every epoch,
    OUT.partial holds the state from which --resume continues.
    """
    from snap_gcn.model.folder import check_free

    if graphs is not None and source is not None:
        raise click.UsageError("--source is for training without GRAPHS; give one of the two")
    check_free(out)
    with needed("train", "fit"):
        from snap_gcn.training.checkpoint import TrainingSettings
        from snap_gcn.training.train import train

    try:
        train(
            TrainingSettings(metric or "", preset, schedule, seed, patience, device),
            graphs=graphs,
            source=source,
            operators=operators,
            out=out,
            arguments=sys.argv[1:],
            resume=resume,
            tensorboard=tensorboard,
            quiet=quiet,
        )
    except KeyboardInterrupt:
        partial = Path(f"{out}.partial")
        kept = f"; {partial} holds every finished epoch: give the same command with --resume"
        say(f"Stopped{kept if partial.exists() else ' before the first epoch was over'}")
        raise
