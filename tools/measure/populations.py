"""Populations of architectures with measured accuracy, near to training and far from it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog import operators
from snap_catalog.parquet import decode_metadata, read
from snap_encode import SentenceEncoder
from snap_eval import spearman
from snap_gcn import Predictor
from snap_gcn.reliability.calibration import Features
from snap_gcn.reliability.trust import features
from snap_gcn.training.dataset import held_out

from tools.measure.encoder.predictors import operator_rows
from tools.measure.encoder.wording import wordings
from tools.pipeline import METRIC

BENCHMARKS = {
    "nb101": (METRIC,),
    "nb201": ("cifar10/test/accuracy@200",),
    "transnas-micro": ("class_object/valid/top1", "room_layout/valid/neg_loss"),
    "darts": ("cifar10/valid/accuracy@50",),
    "transnas-macro": ("class_object/valid/top1", "room_layout/valid/neg_loss"),
}
"""The held-out cells of the first, and the benchmarks of role `develop`, with their metrics."""
NETWORKS = {
    "transnas-macro": BENCHMARKS["transnas-macro"],
    "timm": ("imagenet-1k/valid/accuracy",),
}
"""Those of whole networks."""
AS_IS = "as it is"

_CELLS = 1500
"""Architectures of a population whose operators are described in other words."""
_DRAWS = 5
_BANDS = (2, 4, 8)
"""Into how many bands of equal size, by score, networks are cut."""
_SLICES = (2, 10)
"""The best half and the best tenth by score."""
_SAME_WORDS = {
    "conv1x1": "nor_conv_1x1",
    "conv3x3": "nor_conv_3x3",
    "conv1x1-bn-relu": "nor_conv_1x1",
    "conv3x3-bn-relu": "nor_conv_3x3",
    "maxpool3x3": "max_pool_3x3",
}
"""Operators that `encoder/perturbed.toml` has words for under the name of another space."""
_SWAPPED = "wrong: labels permuted"
"""Operators described as others: no feature shows that."""
_RANDOM = "wrong: random sentences"


class Point(NamedTuple):
    """How a predictor ranks a population.

    Attributes:
        benchmark: which it is of.
        variant: what was done to it; `AS_IS` for nothing.
        metric: what was measured.
        n: number of architectures.
        features: how far it is from training.
        spearman: rank correlation of scores and measurements.
    """

    benchmark: str
    variant: str
    metric: str
    n: int
    features: Features
    spearman: float


class Ranked(NamedTuple):
    """How a predictor ranks a population of whole networks.

    Attributes:
        benchmark: which it is of.
        variant: which part of it; `AS_IS` for all.
        metric: what was measured.
        n: number of networks.
        deviation: standard deviation of the scores.
        spearman: rank correlation of scores and measurements.
    """

    benchmark: str
    variant: str
    metric: str
    n: int
    deviation: float
    spearman: float


def ranked(predictor: Predictor, work: Path) -> Iterator[Ranked]:
    """Yield how a predictor ranks benchmarks of whole networks, and bands of them by score.

    Args:
        predictor: what ranks them.
        work: folder of the benchmark tables.
    """
    for benchmark, metrics in NETWORKS.items():
        graphs = read(work / f"{benchmark}.parquet", "graphs")
        score = predictor.score(graphs)
        order = np.argsort(score, kind="stable")
        parts = {AS_IS: order}
        for count in _BANDS:
            bands = np.array_split(order, count)
            parts |= {f"band {i + 1} of {count}": rows for i, rows in enumerate(bands)}
        for metric in metrics:
            measured = graphs[metric].to_numpy()
            for variant, rows in parts.items():
                rho = float(spearman(score[rows], measured[rows]))
                deviation = float(score[rows].std())
                yield Ranked(benchmark, variant, metric, len(rows), deviation, rho)


def points(predictor: Predictor, work: Path) -> Iterator[Point]:
    """Yield how a predictor ranks every population.

    That is every benchmark as it is, its best half and tenth by score, and with its operators
    described in other words, misspelt, padded, by random sentences (one operator or all) and not at
    all. Whole networks count for a predictor whose members score them.

    Args:
        predictor: what ranks them.
        work: folder of the benchmark tables.
    """
    config = predictor.model.config
    encoder = SentenceEncoder(config.encoder.model)
    for benchmark in [name for name in BENCHMARKS if not (config.prior and name in NETWORKS)]:
        graphs = _measured(benchmark, work)
        scores = predictor.predict(graphs)
        yield from _points(predictor, benchmark, AS_IS, graphs, scores)
        best = np.argsort(-scores["score"].to_numpy(), kind="stable")
        for part in _SLICES:
            rows = np.sort(best[: len(best) // part])
            variant = f"best {1 / part:.0%} by score"
            yield from _points(predictor, benchmark, variant, graphs.take(rows), scores.take(rows))
        step = -(-graphs.num_rows // _CELLS)
        sample = graphs.take(np.arange(0, graphs.num_rows, step))
        for variant, texts in _reworded(benchmark):
            vectors = encoder.encode(list(texts.values()))
            metadata = decode_metadata(predictor.model.operators.schema)
            reader = predictor.with_operators(operator_rows(benchmark, texts, vectors, metadata))
            yield from _points(reader, benchmark, variant, sample, reader.predict(sample))


def _points(
    predictor: Predictor, benchmark: str, variant: str, graphs: pa.Table, scores: pa.Table
) -> Iterator[Point]:
    far, score = features(predictor, graphs, scores), scores["score"].to_numpy()
    for metric in BENCHMARKS[benchmark]:
        rho = spearman(score, graphs[metric].to_numpy())
        if not np.isnan(rho):
            yield Point(benchmark, variant, metric, graphs.num_rows, far, float(rho))


def _measured(benchmark: str, work: Path) -> pa.Table:
    graphs = read(work / f"{benchmark}.parquet", "graphs")
    return graphs.filter(held_out(graphs)) if benchmark == "nb101" else graphs


def _reworded(benchmark: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the kinds of wording of a benchmark's operators, and the descriptions."""
    texts = {op.name: op.descriptions["short"] for op in operators()[benchmark]}
    same = {_SAME_WORDS.get(name, name): name for name in texts}
    named = {other: texts[name] for other, name in same.items()}
    for ends in (False, True):
        for kind, variants in wordings(named, _DRAWS, ends=ends).items():
            for variant in variants if kind != _SWAPPED else ():
                yield kind, {same[other]: text for other, text in variant.items()}
            for other, text in variants[0].items() if kind == _RANDOM else ():
                yield "wrong: one random sentence", {**texts, same[other]: text}
