"""Table 8, and how well an encoder separates operators that it was not tuned on."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
from snap_catalog import corpus
from snap_encode import SentenceEncoder
from snap_encode.operator_encoder import OperatorEncoder
from snap_encode.tuning.evaluate import Figures, evaluate
from snap_encode.tuning.examples import examples, once
from snap_encode.tuning.folder import RECORD
from snap_encode.tuning.recipe import RECIPES

from tools import printed
from tools.measure.encoder.predictors import Floats, unit
from tools.pipeline import tune


class Pair(NamedTuple):
    """Two texts, and their cosine before and after tuning as the paper's Table 8 states it."""

    first: str
    second: str
    before: float
    after: float


PAIRS = (
    Pair("conv2x2", "maxpool", 0.2102, 0.0275),
    Pair("conv2x2", "A 2D conv layer with a 2x2 kernel.", 0.6052, 0.8847),
    Pair("nn_Dropout", "nn_BatchNorm2d", 0.4629, -0.1160),
    Pair("skip connection", "residual", 0.0584, 0.9113),
    Pair("maxpool", "avgpool", 0.2907, 0.6741),
    Pair("maxpool", "conv2x2", 0.2277, 0.0011),
)
READ = "snap-minilm, read"
"""The shipped encoder, which reads a text before it encodes it."""
UNTUNED = ("all-MiniLM-L6-v2", "MiniLM-64", "all-mpnet-base-v2")


@click.command()
@click.option("--tuned", default="build/encode", show_default=True, type=click.Path(path_type=Path))
@click.option("--model", "models", multiple=True, default=UNTUNED, help="May be repeated.")
@click.option("--loss", "losses", multiple=True, default=list(RECIPES), help="May be repeated.")
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=2))
def separation(tuned: Path, models: tuple[str, ...], losses: tuple[str, ...], seeds: int) -> None:
    """Measure encoders, and those tuned with every loss and seed, on words they have not seen.

    Tuning takes some minutes a loss and seed; a stopped run goes on where it was.
    """
    tuned.mkdir(parents=True, exist_ok=True)
    encoders = {model: [model] for model in models}
    for loss in losses:
        encoders[f"tuned, {loss}"] = [str(tune(tuned, loss, seed)) for seed in range(seeds)]
    encoders[READ] = [READ]
    click.echo(_table_8(encoders))
    texts = once(examples("test"))
    terms = {example.term.name for example in texts}
    click.echo(f"\n{len(terms)} operators held out of {len(corpus())}, in {len(texts)} texts\n")
    click.echo(_held_out(encoders))


def _encoder(model: str) -> SentenceEncoder | OperatorEncoder:
    return OperatorEncoder() if model == READ else SentenceEncoder(model)


def cosines(model: str) -> list[float]:
    """Return the cosine of every pair of Table 8."""
    vectors = _embed(_encoder(model), [text for pair in PAIRS for text in pair[:2]])
    return [float(a @ b) for a, b in zip(vectors[::2], vectors[1::2], strict=True)]


def _table_8(encoders: Mapping[str, Sequence[str]]) -> str:
    ours = [
        [printed.spread(values) for values in zip(*map(cosines, same), strict=True)]
        for same in encoders.values()
    ]
    rows = [
        [f"{pair.first} / {pair.second}", f"{pair.before:.3f}", f"{pair.after:.3f}", *measured]
        for pair, *measured in zip(PAIRS, *ours, strict=True)
    ]
    return printed.table(["texts", "paper, before", "paper, after", *encoders], rows)


def _held_out(encoders: Mapping[str, Sequence[str]]) -> str:
    rows = [
        [name, *map(printed.spread, zip(*map(_figures, same), strict=True))]
        for name, same in encoders.items()
    ]
    return printed.table(["encoder", *(field.replace("_", " ") for field in Figures._fields)], rows)


def _figures(model: str) -> Figures:
    """Return what tuning recorded of the operators held out, else measure it."""
    record = Path(model) / RECORD
    if record.is_file():
        return Figures(**json.loads(record.read_text("utf-8"))["figures"]["test"])
    return evaluate(partial(_embed, _encoder(model)), "test")


def _embed(encoder: SentenceEncoder | OperatorEncoder, texts: list[str]) -> Floats:
    return unit(encoder.encode(texts))
