"""How far a ranking moves when operators are described in other words, badly, or wrongly."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import operators
from snap_catalog.console import progress
from snap_catalog.parquet import decode_metadata
from snap_encode import SentenceEncoder
from snap_encode.operator_encoder import OperatorEncoder
from snap_gcn import Predictor
from snap_gcn.model.recipe import BUNDLED

from tools import printed
from tools.measure.encoder.predictors import (
    FITS,
    METRICS,
    TUNED_OR_NOT,
    Floats,
    cells,
    encoded,
    operator_rows,
    rank,
    unit,
)
from tools.measure.encoder.wording import WRITTEN, Texts, wordings
from tools.pipeline import ENCODERS, prepare_develop, prepare_training, seeded

Bools = npt.NDArray[np.bool_]


class Change(NamedTuple):
    """What one variant of a space's descriptions does to their vectors.

    Attributes:
        drift: mean over the operators whose text changed of one minus the cosine between their
            vectors before and after.
        recognised: share of those operators whose vector is still nearest to their old one.
        doubted: share of those operators for which a note reports that their description is no
            operator's, or not the one of their name.
    """

    drift: float
    recognised: float
    doubted: float


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--grid", default="build/encode/grid", show_default=True, type=click.Path(path_type=Path)
)
@click.option("--space", default="nb201", show_default=True, type=click.Choice(list(METRICS)))
@click.option("--model", "models", multiple=True, default=TUNED_OR_NOT, help="May be repeated.")
@click.option(
    "--ends/--no-ends", default=True, show_default=True, help="Reword input and output too."
)
@click.option("--draws", default=10, show_default=True, type=click.IntRange(min=2))
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=2))
@click.option(
    "--texts",
    "written",
    default=WRITTEN[0],
    show_default=True,
    type=click.Choice(WRITTEN),
    help="Wordings that the reader was developed with, or those that it was not.",
)
@click.option(
    "--as-written",
    is_flag=True,
    help="Encode the words themselves, and measure both presets trained on each encoder's vectors.",
)
def robustness(
    work: Path,
    grid: Path,
    space: str,
    models: tuple[str, ...],
    ends: bool,
    draws: int,
    seeds: int,
    written: str,
    as_written: bool,
) -> None:
    """Describe a space's operators otherwise, and rank it with predictors that know nothing of it.

    Descriptions are read, and the preset `snap` is measured, bundled and with several seeds.
    Figures are over the variants of a row, changes of the correlation over the seeds as well.
    """
    prepare_training(work)
    prepare_develop(work)
    texts = {operator.name: operator.descriptions["short"] for operator in operators()[space]}
    kinds = wordings(texts, draws, ends=ends, written=written)
    if not as_written:
        groups = {
            "bundled `snap`": [Predictor.bundled("snap")],
            f"`snap`, {seeds} seeds": seeded(work, "snap", seeds),
        }
        reading = Trial(OperatorEncoder(ENCODERS["snap"]), space, texts, cells(work, space), groups)
        click.echo(reading.table(kinds))
        return
    grid.mkdir(parents=True, exist_ok=True)
    for model in models:
        groups = _predictors(work, grid, model, seeds)
        trial = Trial(SentenceEncoder(model), space, texts, cells(work, space), groups)
        click.echo(f"\n{model}\n\n{trial.table(kinds)}")


class Trial:
    """The operators of a space as one encoder reads them, and predictors that rank its cells.

    Attributes:
        groups: the predictors by title; a group is reported as one.
    """

    def __init__(
        self,
        encoder: SentenceEncoder | OperatorEncoder,
        space: str,
        texts: Texts,
        graphs: pa.Table,
        groups: Mapping[str, Sequence[Predictor]],
    ) -> None:
        self.groups = groups
        self._known: dict[bytes, list[list[float]]] = {}
        self._encoder, self._space, self._graphs, self._texts = encoder, space, graphs, texts
        words = encoder.words if isinstance(encoder, OperatorEncoder) else encoder
        self._vectors = words.encode(list(texts.values()))
        self._before = self._rhos(texts, self._vectors)

    def table(self, kinds: Mapping[str, Sequence[Texts]]) -> str:
        """Lay out what every kind of wording does to the vectors and to the rankings."""
        before = [printed.spread(rhos) for rhos in self._before]
        rows = [["as catalogued", "", "", "", "", *before]]
        with progress("Wordings", sum(map(len, kinds.values()))) as advance:
            for kind, variants in kinds.items():
                rows.append([kind, str(len(variants)), *self._row(variants)])
                advance(len(variants), kind)
        return printed.table(["description", "variants", *Change._fields, *self.groups], rows)

    def effects(self, variants: Sequence[Texts]) -> list[list[float]]:
        """Return by how much each variant changes Spearman's correlation, for every group."""
        after = [self._rhos(variant, self._encode(variant)) for variant in variants]
        return [
            [rho - old for rhos in same for rho, old in zip(rhos, before, strict=True)]
            for same, before in zip(zip(*after, strict=True), self._before, strict=True)
        ]

    def _row(self, variants: Sequence[Texts]) -> list[str]:
        changes = [self._change(variant, self._encode(variant)) for variant in variants]
        columns = (*zip(*changes, strict=True), *self.effects(variants))
        return [printed.spread(values) for values in columns]

    def _change(self, variant: Texts, vectors: Floats) -> Change:
        changed = np.array([variant[op] != text for op, text in self._texts.items()])
        doubts = np.array([doubt is not None for doubt in self._doubts(variant)])
        return Change(*compared(self._vectors, vectors, changed), float(doubts[changed].mean()))

    def _doubts(self, variant: Texts) -> list[str | None]:
        """Return what is reported of the descriptions; nothing where they are not read."""
        if not isinstance(self._encoder, OperatorEncoder):
            return [None] * len(variant)
        return [said.doubt for said in self._encoder.described([*variant.items()])]

    def _encode(self, variant: Texts) -> Floats:
        if isinstance(self._encoder, OperatorEncoder):
            said = self._encoder.described([*variant.items()])
            return self._encoder.vectors([each.reading for each in said])
        return self._encoder.encode(list(variant.values()))

    def _rhos(self, variant: Texts, vectors: Floats) -> list[list[float]]:
        """Return Spearman's correlation of every predictor of every group; equal vectors once."""
        key = vectors.tobytes()
        if key not in self._known:
            self._known[key] = [
                [self._rho(predictor, variant, vectors) for predictor in group]
                for group in self.groups.values()
            ]
        return self._known[key]

    def _rho(self, predictor: Predictor, variant: Texts, vectors: Floats) -> float:
        """Return Spearman's correlation, 0 where all cells are scored alike."""
        metadata = decode_metadata(predictor.model.operators.schema)
        table = operator_rows(self._space, variant, vectors, metadata)
        rho = rank(predictor.with_operators(table), self._graphs, self._space).spearman
        return 0.0 if np.isnan(rho) else rho


def compared(old: Floats, new: Floats, changed: Bools) -> tuple[float, float]:
    """Return the mean drift of some of n operators, (n,) `changed`, and the share recognised."""
    cosines = (unit(new) @ unit(old).T)[changed]
    own = np.flatnonzero(changed)
    drift = 1 - cosines[np.arange(len(own)), own]
    return float(drift.mean()), float((cosines.argmax(axis=1) == own).mean())


def _predictors(work: Path, grid: Path, model: str, seeds: int) -> dict[str, list[Predictor]]:
    bundled = [Predictor.bundled(name) for name in BUNDLED]
    groups = {
        f"bundled `{p.model.config.name}`": [p]
        for p in bundled
        if p.model.config.encoder.model == model
    }
    table = encoded(grid, model, "short")
    for how in FITS:
        trained = [how.predictor(work, table, seed) for seed in range(seeds)]
        groups[f"`{how.preset}`, {seeds} seeds"] = trained
    return groups
