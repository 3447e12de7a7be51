"""`snap-gcn fit`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from snap_catalog.console import say

from snap_gcn.commands.options import DEVICE, FILE, QUIET, needed
from snap_gcn.model.recipe import PRESETS, Schedule

_FOLDER = click.Path(file_okay=False)


@click.command()
@click.argument("graphs", type=FILE, required=False)
@click.option(
    "--source",
    type=click.Path(),
    help="Without GRAPHS: NAS-Bench-101 in a form that snap-graphs converts; by default the cache.",
)
@click.option(
    "--operators",
    type=FILE,
    help="Vectors of the operators; by default those of the catalog, by the preset's encoder.",
)
@click.option(
    "--metric", help="What to regress; any unambiguous shortening. Default: the file's only metric."
)
@click.option(
    "-o", "--out", type=_FOLDER, default="model", show_default=True, help="Model folder to write."
)
@click.option("--preset", type=click.Choice(sorted(PRESETS)), default="snap", show_default=True)
@click.option("--schedule", type=click.Choice(["full", "short"]), default="full", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop a member after N epochs without a better tau on the held-out cells.",
)
@DEVICE
@click.option("--resume", is_flag=True, help="Go on where the same command was stopped.")
@click.option("--tensorboard", type=_FOLDER, metavar="DIR", help="Log loss and tau there.")
@QUIET
def fit(
    graphs: str | None,
    source: str | None,
    operators: str | None,
    metric: str | None,
    out: str,
    preset: str,
    schedule: Schedule,
    seed: int,
    patience: int | None,
    device: str,
    resume: bool,
    tensorboard: str | None,
    quiet: bool,
) -> None:
    """Train a predictor on the Parquet file GRAPHS, by default on NAS-Bench-101.

    A tenth of the cells, chosen by their hash, is held out and only measured on. After every epoch
    OUT.partial holds what --resume goes on from.
    """
    from snap_gcn.model.folder import check_free

    if graphs is not None and source is not None:
        raise click.UsageError("--source is for training without GRAPHS; give one of the two")
    check_free(Path(out))
    with needed("train", "fit"):
        from snap_gcn.training.checkpoint import Run
        from snap_gcn.training.run import train

    partial = Path(f"{Path(out)}.partial")
    asked = Run(metric or "", preset, schedule, seed, patience, device)
    with _told_how_to_resume(partial):
        train(
            asked,
            graphs=graphs,
            source=source,
            operators=operators,
            out=Path(out),
            arguments=sys.argv[1:],
            resume=resume,
            tensorboard=tensorboard,
            quiet=quiet,
        )


@contextmanager
def _told_how_to_resume(partial: Path) -> Iterator[None]:
    """End after Ctrl-C with a line that says what was kept."""
    try:
        yield
    except KeyboardInterrupt:
        kept = f"; {partial} holds every finished epoch: give the same command with --resume"
        say(f"Stopped{kept if partial.exists() else ' before the first epoch was over'}")
        raise
