"""Whether words are needed at all: operators as vectors that mean nothing."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from snap_catalog import operators
from snap_catalog.parquet import write
from snap_gcn import Predictor

from tools import printed
from tools.measure.encoder.predictors import (
    FITS,
    TUNED_OR_NOT,
    Fit,
    Floats,
    cells,
    encoded,
    operator_rows,
    rank,
)
from tools.pipeline import prepare

MATCHINGS: Mapping[str, Mapping[str, str]] = {
    "by name": {},
    "convolutions matched by hand": {
        "nor_conv_1x1": "conv1x1-bn-relu",
        "nor_conv_3x3": "conv3x3-bn-relu",
    },
    "convolutions matched, and pooling too": {
        "nor_conv_1x1": "conv1x1-bn-relu",
        "nor_conv_3x3": "conv3x3-bn-relu",
        "avg_pool_3x3": "maxpool3x3",
    },
}
"""The operator of NAS-Bench-101 whose vector each operator of NAS-Bench-201 takes.

Without a match only operators of one name share a vector: input, output and skip_connect.
"""

KINDS = ("one-hot", "random")
_DIMENSIONS = 384
_STATISTICS = ("Spearman", "Kendall")


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--grid", default="build/encode/grid", show_default=True, type=click.Path(path_type=Path)
)
@click.option("--model", "models", multiple=True, default=TUNED_OR_NOT, help="May be repeated.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(min=2))
def controls(work: Path, grid: Path, models: tuple[str, ...], seeds: int) -> None:
    """Train both presets on one-hot and on random vectors, and rank NAS-Bench-201.

    Takes about two minutes a seed and kind of vectors on one core; a stopped run goes on.
    """
    prepare(work)
    grid.mkdir(parents=True, exist_ok=True)
    graphs = cells(work, "nb201")
    rows = []
    for model in models:
        table = encoded(grid, model, "short")
        reader = partial(_described, work, table)
        rows.append([model, "by description", *_figures(graphs, seeds, reader)])
    for kind, (matching, same) in product(KINDS, MATCHINGS.items()):
        reader = partial(_matched, work, grid, kind, same)
        rows.append([kind, matching, *_figures(graphs, seeds, reader)])
    header = ["vectors", "operators", *(f"`{how.preset}` {c}" for how in FITS for c in _STATISTICS)]
    click.echo(printed.table(header, rows))


def meaningless(kind: str, seed: int) -> dict[str, Floats]:
    """Give every operator name of NAS-Bench-101 and NAS-Bench-201 a vector that means nothing.

    Args:
        kind: `one-hot`, or `random`: 384 Gaussian numbers, of length 1 in the mean.
        seed: of the random ones.
    """
    names = dict.fromkeys(o.name for space in ("nb101", "nb201") for o in operators()[space])
    random = np.random.default_rng(seed).normal(0, _DIMENSIONS**-0.5, (len(names), _DIMENSIONS))
    vectors = np.eye(len(names)) if kind == "one-hot" else random
    return dict(zip(names, vectors.astype(np.float32), strict=True))


def matched(space: str, vectors: Mapping[str, Floats], same: Mapping[str, str]) -> pa.Table:
    """Make a table of a space's operators, some with the vector of another operator."""
    sources = {o.name: same.get(o.name, o.name) for o in operators()[space]}
    rows = np.stack([vectors[source] for source in sources.values()])
    digest = hashlib.sha256(np.stack(list(vectors.values())).tobytes()).hexdigest()
    metadata = {"snap.model": "control", "snap.model_sha256": digest}
    return operator_rows(space, sources, rows, metadata)


def _figures(graphs: pa.Table, seeds: int, reader: Callable[[Fit, int], Predictor]) -> list[str]:
    """Rank NAS-Bench-201 with the predictor of every preset and seed."""
    return [
        printed.spread(values)
        for how in FITS
        for values in zip(
            *(rank(reader(how, seed), graphs, "nb201") for seed in range(seeds)), strict=True
        )
    ]


def _described(work: Path, table: Path, how: Fit, seed: int) -> Predictor:
    return how.predictor(work, table, seed)


def _matched(
    work: Path, grid: Path, kind: str, same: Mapping[str, str], how: Fit, seed: int
) -> Predictor:
    """Train on a control's vectors, and let the predictor read NAS-Bench-201 so matched."""
    vectors, table = meaningless(kind, seed), grid / f"{kind}-{seed}.parquet"
    if not table.exists():
        write(matched("nb101", vectors, {}), table, "operators", producer="snap-encode")
    predictor = how.predictor(work, table, seed)
    return predictor.with_operators(matched("nb201", vectors, same))
