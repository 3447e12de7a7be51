"""Tune the encoder that snap-encode ships, and report each loss with its scatter between seeds.

    uv run --all-groups python -m tools.train.encoder

Tunes every loss with every seed; takes two to three minutes a run on one free core, and a stopped
run goes on where it was. The encoder that ships is that of the default loss and seed 0.
"""

import json
import shutil
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import click
from snap_encode.tuning.card import card
from snap_encode.tuning.folder import RECORD
from snap_encode.tuning.recipe import RECIPES

from tools.pipeline import ROOT, tune

_BUNDLE = ROOT / "packages/snap-encode/src/snap_encode/bundle"
_NAME = "snap-minilm"
_HELD_OUT = ("validate", "test")


@click.command()
@click.option("--work", default="build/encode", show_default=True, type=click.Path(path_type=Path))
@click.option("--loss", "losses", multiple=True, default=list(RECIPES), show_default=True)
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=2))
def main(work: Path, losses: tuple[str, ...], seeds: int) -> None:
    """Tune encoders in the folder --work, and copy one into the package."""
    work.mkdir(parents=True, exist_ok=True)
    _ship(tune(work, next(iter(RECIPES)), 0))
    for loss in losses:
        folders = [tune(work, loss, seed) for seed in range(seeds)]
        for split in _HELD_OUT:
            _tell(loss, split, folders)


def _ship(tuned: Path) -> None:
    folder = _BUNDLE / _NAME
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tuned, folder)
    text = card(_NAME, _record(tuned))
    (folder / "README.md").write_text(text, "utf-8")
    click.echo(text)


def _record(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / RECORD).read_text("utf-8"))
    return record


def _tell(loss: str, split: str, folders: list[Path]) -> None:
    figures = [_record(folder)["figures"][split] for folder in folders]
    click.echo(f"{loss}, {split}, {len(folders)} seeds:")
    for name in figures[0]:
        values = [one[name] for one in figures]
        click.echo(f"  {name} {mean(values):.3f} +- {stdev(values):.3f}")


if __name__ == "__main__":
    main()
