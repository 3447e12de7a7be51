"""Table 2: which encoder, and which length of description, ranks an unseen space best."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import NamedTuple, get_args

import click
from snap_catalog.catalog import Length

from tools import printed
from tools.measure.encoder.predictors import PAPER, Ranking, cells, encoded, rank
from tools.pipeline import prepare

LENGTHS: tuple[Length, ...] = get_args(Length)
MODELS = ("all-MiniLM-L6-v2", "snap-minilm", "MiniLM-64", "all-mpnet-base-v2")


class Entry(NamedTuple):
    """A model and a length of description: one of the table's entries."""

    model: str
    length: Length

    def __str__(self) -> str:
        return f"{self.model} {self.length}"


REPORTED = {
    Entry("all-MiniLM-L6-v2", "short"): Ranking(0.76, 0.56),
    Entry("all-MiniLM-L6-v2", "medium"): Ranking(0.62, 0.44),
    Entry("all-MiniLM-L6-v2", "long"): Ranking(0.56, 0.40),
    Entry("snap-minilm", "short"): Ranking(0.80, 0.60),
    Entry("MiniLM-64", "short"): Ranking(0.54, 0.36),
    Entry("MiniLM-64", "medium"): Ranking(0.43, 0.29),
    Entry("MiniLM-64", "long"): Ranking(0.47, 0.32),
    Entry("all-mpnet-base-v2", "short"): Ranking(0.66, 0.48),
    Entry("all-mpnet-base-v2", "medium"): Ranking(0.67, 0.49),
    Entry("all-mpnet-base-v2", "long"): Ranking(0.65, 0.46),
}
"""The figures of the paper's Table 2; its tuned model is compared with ours."""


@click.command("lengths")
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--grid", default="build/encode/grid", show_default=True, type=click.Path(path_type=Path)
)
@click.option("--model", "models", multiple=True, default=MODELS, help="May be repeated.")
@click.option(
    "--length",
    "lengths",
    multiple=True,
    default=LENGTHS,
    type=click.Choice(LENGTHS),
    help="May be repeated.",
)
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(min=2))
def rank_lengths(
    work: Path, grid: Path, models: tuple[str, ...], lengths: tuple[Length, ...], seeds: int
) -> None:
    """Train the paper's predictor on every model and length, and rank NAS-Bench-201.

    Takes about a minute an entry and seed on one core; a stopped run goes on where it was.
    """
    prepare(work)
    grid.mkdir(parents=True, exist_ok=True)
    entries = [Entry(model, length) for model in models for length in lengths]
    measured = {entry: _rankings(work, grid, entry, seeds) for entry in entries}
    header = ["model", "length", "Spearman", "paper", "Kendall", "paper"]
    click.echo(printed.table(header, [_row(entry, seen) for entry, seen in measured.items()]))
    means = {entry: mean(r.spearman for r in seen) for entry, seen in measured.items()}
    stated = {entry: ranking.spearman for entry, ranking in REPORTED.items()}
    click.echo("\n".join(["", *disagreements(means, stated)]))


def disagreements(ours: Mapping[Entry, float], theirs: Mapping[Entry, float]) -> list[str]:
    """Describe each pair of entries of one model or length that two sources order differently."""
    both = [entry for entry in ours if entry in theirs]
    pairs = [(a, b) for a in both for b in both if theirs[a] > theirs[b] and ours[a] < ours[b]]
    return [
        f"- {b} ranks better than {a} ({ours[b]:.3f} and {ours[a]:.3f}); the paper has it the "
        f"other way round ({theirs[b]:.2f} and {theirs[a]:.2f})"
        for a, b in pairs
        if a.model == b.model or a.length == b.length
    ]


def _rankings(work: Path, grid: Path, entry: Entry, seeds: int) -> list[Ranking]:
    graphs, table = cells(work, "nb201"), encoded(grid, *entry)
    return [rank(PAPER.predictor(work, table, seed), graphs, "nb201") for seed in range(seeds)]


def _row(entry: Entry, seen: list[Ranking]) -> list[str]:
    stated = REPORTED.get(entry)
    rho, tau = (f"{value:.2f}" for value in stated) if stated else ("", "")
    ours = [printed.spread(values) for values in zip(*seen, strict=True)]
    return [entry.model, entry.length, ours[0], rho, ours[1], tau]
