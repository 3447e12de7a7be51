r"""Measure how well the proxies of `snap_evo.proxies` agree with published ones.

    uv run --all-groups python -m tools.measure.proxies --cells 60
    uv run --all-groups python -m tools.measure.proxies --cells 60 --photographs --proxy fisher

Draws cells of NAS-Bench-201 that NAS-Bench-Suite-Zero publishes proxies of, scores their networks,
and prints rank correlations with those and with the test accuracy on CIFAR-10 (which is reported,
and chooses nothing), seconds by pass, and how much the proxies that vary most differ between seeds.
Results are kept by network in `build/proxies`: a stopped run continues from there. With batches of
64 images a network takes 10 seconds on one core, of which `grasp` takes four: give `--proxy` to
choose fewer.
"""

import csv
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import numpy.typing as npt
from snap_catalog.console import progress
from snap_eval import spearman
from snap_evo.proxies import PROXIES, ProxyScorer, Settings
from snap_evo.proxies.registry import COMBINED, combine
from snap_graphs import space

from tools import printed
from tools.pipeline import DATA

Floats = npt.NDArray[np.float64]

_PUBLISHED, _MEASURED = "nb201_proxies_cifar10.csv.gz", "nb201_cifar10.csv.gz"
_ACCURACY = "cifar10/test/accuracy@200"
_SIDE = 32
_VARYING = ("jacov", "epe_nas", "grasp", "plain")
"""The proxies that initial weights and images change most."""


class Cell(NamedTuple):
    """A cell with what is published of it.

    Attributes:
        arch_id: the cell.
        published: by proxy its score.
        accuracy: on the test images of CIFAR-10, in percent.
    """

    arch_id: str
    published: Mapping[str, float]
    accuracy: float


def draw_cells(count: int) -> list[Cell]:
    """Return cells drawn at random, always the same; fewer are the first of more."""
    rows = _rows(_PUBLISHED)
    accuracy = {row["arch"]: float(row[_ACCURACY]) for row in _rows(_MEASURED)}
    order = np.random.default_rng(0).permutation(len(rows))[:count]
    return [
        Cell(
            row["arch"],
            {name.rpartition("/")[2]: float(row[name]) for name in row if name != "arch"},
            accuracy[row["arch"]],
        )
        for row in (rows[i] for i in order)
    ]


def _rows(name: str) -> list[dict[str, str]]:
    with gzip.open(DATA / name, "rt") as file:
        return list(csv.DictReader(file))


def write_photographs(path: Path) -> None:
    """Write 600 crops of the two photographs that scikit-learn brings, at two scales.

    They stand in for natural images, which cannot be downloaded everywhere. The class of a crop is
    its photograph and fifth of the width.
    """
    from sklearn.datasets import load_sample_images

    random, crops, labels = np.random.default_rng(0), [], []
    for number, photograph in enumerate(load_sample_images().images):
        for scale in (2, 4):
            height, width = (side // scale for side in photograph.shape[:2])
            whole = photograph[: height * scale, : width * scale]
            small = whole.reshape(height, scale, width, scale, 3).mean((1, 3)).astype(np.uint8)
            for _ in range(150):
                top, left = (int(random.integers(0, side - _SIDE + 1)) for side in (height, width))
                crops.append(small[top : top + _SIDE, left : left + _SIDE])
                labels.append(5 * number + 5 * left // width)
    classes = np.unique(labels, return_inverse=True)[1]
    np.savez(path, images=np.array(crops), labels=classes)


class Store:
    """Keeps results by network in a file of JSON lines, one file for all settings but the seed."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Read what an earlier run kept."""
        key = hashlib.sha256(repr(settings.of_seed(0)).encode()).hexdigest()[:8]
        self._path = folder / f"batch{settings.batch}-{key}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        self._found = {
            (line["arch_id"], line["seed"], name): line
            for line in map(json.loads, lines)
            for name in line["values"]
        }

    def get(self, arch_id: str, seed: int, name: str) -> dict[str, Any] | None:
        """Return the line that holds a score."""
        return self._found.get((arch_id, seed, name))

    def lacking(self, arch_id: str, seed: int, names: Sequence[str]) -> list[str]:
        """Return the proxies without a score."""
        return [name for name in names if (arch_id, seed, name) not in self._found]

    def put(self, arch_id: str, seed: int, scorer: ProxyScorer) -> None:
        """Score a network, and keep the result."""
        values, seconds, images = scorer.measure(space("nb201"), arch_id)
        line = {"arch_id": arch_id, "seed": seed, "values": values, "seconds": seconds}
        with self._path.open("a") as file:
            file.write(json.dumps({**line, "images": images}) + "\n")
        self._found |= {(arch_id, seed, name): line for name in values}

    def scores(self, cells: Sequence[Cell], seed: int, name: str) -> Floats:
        """Return (n,) scores of n cells by a proxy, combined or not."""
        if name in COMBINED:
            return combine([self.scores(cells, seed, part) for part in COMBINED[name]])
        found = [self._found[cell.arch_id, seed, name]["values"][name] for cell in cells]
        return np.array(found, np.float64)

    def seconds(self, cells: Sequence[Cell], names: Sequence[str]) -> dict[str, float]:
        """Return by pass the mean seconds a network."""
        by_pass: dict[str, list[float]] = {}
        for cell in cells:
            lines = {id(line): line for n in names if (line := self.get(cell.arch_id, 0, n))}
            for line in lines.values():
                for name, value in line["seconds"].items():
                    by_pass.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in by_pass.items()}


def measure(
    store: Store, cells: Sequence[Cell], settings: Settings, names: Sequence[str], seeds: range
) -> None:
    """Score what is not scored yet, networks of the first seed first."""
    tasks = [(cell.arch_id, seed, names) for seed in seeds for cell in cells]
    lacking = [(a, seed, short) for a, seed, n in tasks if (short := store.lacking(a, seed, n))]
    scorers: dict[tuple[int, tuple[str, ...]], ProxyScorer] = {}
    with progress("networks", len(tasks), done=len(tasks) - len(lacking)) as advance:
        for arch_id, seed, short in lacking:
            key = seed, tuple(short)
            if key not in scorers:
                scorers[key] = ProxyScorer(short, settings.of_seed(seed))
            store.put(arch_id, seed, scorers[key])
            advance(1)


def agreement(store: Store, cells: Sequence[Cell], names: Sequence[str]) -> str:
    """Return a table of rank correlations, of ours with theirs and of both with the accuracy."""
    accuracies = np.array([cell.accuracy for cell in cells])
    rows = []
    for name in names:
        ours = store.scores(cells, 0, name)
        shown = ["", "", printed.short(spearman(ours, accuracies))]
        if name in cells[0].published:
            theirs = np.array([cell.published[name] for cell in cells])
            shown[0] = printed.short(spearman(ours, theirs))
            shown[1] = printed.short(spearman(theirs, accuracies))
        rows.append([f"`{name}`", *shown])
    head = ["proxy", "ours, theirs", "theirs, accuracy", "ours, accuracy"]
    return printed.table(head, rows)


def scatter(store: Store, cells: Sequence[Cell], names: Sequence[str], seeds: range) -> str:
    """Return a table of how much scores differ between seeds."""
    accuracies = np.array([cell.accuracy for cell in cells])
    rows = []
    for name in names:
        by_seed = np.stack([store.scores(cells, seed, name) for seed in seeds])
        pairs = [(i, j) for i in range(len(seeds)) for j in range(i)]
        share = by_seed.std(0, ddof=1).mean() / by_seed.mean(0).std(ddof=1)
        between = [spearman(by_seed[i], by_seed[j]) for i, j in pairs]
        found = [spearman(scores, accuracies) for scores in by_seed]
        rows.append(
            [f"`{name}`", printed.short(share, 2), printed.spread(between), printed.spread(found)]
        )
    head = ["proxy", "deviation over seeds / over cells", "two seeds", "one seed, accuracy"]
    return printed.table(head, rows)


@click.command()
@click.option("--cells", "count", default=500, show_default=True, type=click.IntRange(min=3))
@click.option("--batch", default=64, show_default=True, type=click.IntRange(min=2))
@click.option("--images", type=click.Path(exists=True), help="Default: Gaussian noise.")
@click.option("--photographs", is_flag=True, help="Crops of photographs in place of noise.")
@click.option("--proxy", "names", type=click.Choice([*PROXIES]), multiple=True, default=[*PROXIES])
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--seed-cells", default=40, show_default=True, type=click.IntRange(min=3))
@click.option("--work", default="build/proxies", type=click.Path(path_type=Path))
def main(
    count: int,
    batch: int,
    images: str | None,
    photographs: bool,
    names: tuple[str, ...],
    seeds: int,
    seed_cells: int,
    work: Path,
) -> None:
    """Print tables of agreement, of time, and of the scatter over seeds on the first cells."""
    if photographs:
        work.mkdir(parents=True, exist_ok=True)
        images = str(work / "photographs.npz")
        write_photographs(Path(images))
    settings = Settings(batch=batch, images=images)
    store, cells = Store(work, settings), draw_cells(count)
    measure(store, cells, settings, names, range(1))
    combined = [name for name, of in COMBINED.items() if set(of) <= set(names)]
    click.echo(f"### Agreement on {len(cells)} cells, batches of {batch}\n")
    click.echo(agreement(store, cells, [*names, *combined]))
    click.echo("\n### Seconds\n")
    seconds = store.seconds(cells, names)
    rows = [[name, printed.short(value, 2)] for name, value in seconds.items()]
    click.echo(printed.table(["pass", "seconds a network"], rows))
    if varying := [name for name in _VARYING if name in names and seeds > 1]:
        first = cells[:seed_cells]
        measure(store, first, settings, varying, range(seeds))
        click.echo(f"\n### {seeds} seeds, {len(first)} cells\n")
        click.echo(scatter(store, first, varying, range(seeds)))


if __name__ == "__main__":
    main()
