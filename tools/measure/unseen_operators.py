"""Rank NAS-Bench-201 when two of its operators are known by a sentence alone.

    uv run --all-groups python -m tools.measure.unseen_operators

Average pooling and the skip are struck from the vocabulary of each predictor, and come back as a
user's own operators, described as in `unseen_operators.toml`. Predictors that are not trained yet
are trained first, six minutes a seed on one core (`paper` one).
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog.parquet import read
from snap_encode import operator_table
from snap_eval import kendall_tau_b, spearman
from snap_gcn import Predictor

from tools import printed
from tools.pipeline import SCHEDULES, prepare_develop, prepare_training, seeded

_SPACE, _ACCURACY = "nb201", "cifar10/test/accuracy@200"
_SENTENCES = Path(__file__).with_suffix(".toml")


class Correlation(NamedTuple):
    """Between scores and accuracies of all cells."""

    rho: float
    tau: float


@click.command()
@click.option("--data", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=2))
@click.option(
    "--preset",
    "presets",
    multiple=True,
    default=list(SCHEDULES),
    show_default=True,
    type=click.Choice(list(SCHEDULES)),
    help="May be repeated.",
)
def main(data: Path, seeds: int, presets: tuple[str, ...]) -> None:
    """Print a table: each preset, by the catalog's descriptions and by ours."""
    prepare_training(data)
    prepare_develop(data)
    table = read(data / "nb201.parquet", "graphs")
    rows = [
        [f"{preset}, {SCHEDULES[preset]} schedule", *row]
        for preset in presets
        for row in compared(seeded(data, preset, seeds), table)
    ]
    click.echo(f"NAS-Bench-201 {_ACCURACY}, all {table.num_rows:,} cells, {seeds} seeds;")
    click.echo("mean +- deviation\n")
    head = ["preset", "the two operators described by", "Spearman", "tau", "change of Spearman"]
    click.echo(printed.table(head, rows))


def compared(predictors: Sequence[Predictor], table: pa.Table) -> Iterator[list[str]]:
    """Yield a row for the catalog's descriptions, for each of ours, and for all of ours."""
    catalogued = [correlation(predictor, table) for predictor in predictors]
    yield _row("the catalog", catalogued, catalogued)
    all_described = []
    for number, sentences in enumerate(described(), start=1):
        changed = [described_by(predictor, sentences) for predictor in predictors]
        correlations = [correlation(predictor, table) for predictor in changed]
        yield _row(f"sentence {number}", correlations, catalogued)
        all_described += correlations
    yield _row("all sentences", all_described, catalogued)


def described() -> list[dict[str, str]]:
    """Read our descriptions: operator -> sentence, once for every sentence."""
    entries = tomllib.loads(_SENTENCES.read_text("utf-8"))
    return [dict(zip(entries, group, strict=True)) for group in zip(*entries.values(), strict=True)]


def described_by(predictor: Predictor, sentences: Mapping[str, str]) -> Predictor:
    """Replace what a predictor knows of operators by sentences, encoded as its others were."""
    known = predictor.model.operators
    struck = pc.and_(
        pc.equal(known["space"], _SPACE), pc.is_in(known["op"], pa.array(list(sentences)))
    )
    rest = Predictor(replace(predictor.model, operators=known.filter(pc.invert(struck))))
    return rest.with_operators(operator_table(sentences, predictor.model.config.encoder.model))


def correlation(predictor: Predictor, table: pa.Table) -> Correlation:
    """Correlate a predictor's scores of cells with their accuracies."""
    scores, accuracy = predictor.score(table), table[_ACCURACY].to_numpy()
    return Correlation(spearman(scores, accuracy), kendall_tau_b(scores, accuracy))


def _row(title: str, found: Sequence[Correlation], catalogued: Sequence[Correlation]) -> list[str]:
    rhos = [each.rho for each in found]
    # The seeds come in the same order, once or several times.
    changes = [rho - catalogued[i % len(catalogued)].rho for i, rho in enumerate(rhos)]
    taus = [each.tau for each in found]
    return [title, *map(printed.spread, (rhos, taus, changes))]


if __name__ == "__main__":
    main()
