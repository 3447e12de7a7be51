"""Judge how far to trust a ranking."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.parquet import column_names
from snap_catalog.readings import Understood, listed
from snap_catalog.streams import Stream
from snap_graphs import Graphs

from snap_gcn.data.arrays import Floats
from snap_gcn.engines import FilePath, columns_to_read
from snap_gcn.model import prior
from snap_gcn.predictor import Predictor
from snap_gcn.ranks import spearman
from snap_gcn.reliability.calibration import Expected, Features
from snap_gcn.reliability.shape import oversize, shape_distance
from snap_gcn.reliability.verdict import (
    Evidence,
    judge,
    judge_adapted,
    judge_mixture,
    judge_networks,
)

_SAMPLE = 10_000
"""Architectures of a file that are assessed, evenly spaced."""
_FEWEST = 10
"""Fewest architectures for which the scores' deviation and rank correlations are estimated."""
_UNLIKE = 0.05
"""Distance to the nearest operator trained on above which an operator is listed."""
_EQUAL = 1e-6
"""Range within which scores count as equal: 32-bit sums depend on the machine."""
_MOSTLY = 0.5
"""Weight of the prior above which a ranking is judged as one of whole networks."""
_AT_ONCE = 65_536
_DIGITS = 4
"""Decimals of a feature, so that equal populations have equal features in any order."""


@dataclass(frozen=True)
class Trust:
    """The reasons for and against trusting a ranking.

    Attributes:
        verdict: whether to rely on it, and why, in one line.
        expected: the rank correlation with accuracy to expect; None if the model was not
            calibrated, or not for architectures this far from training.
        architectures: number of architectures assessed.
        novelty: their mean distance from the training data.
        disagreement: mean ensemble standard deviation, in standard deviations of the scores; None
            for a single member, for fewer than 10 architectures, and for equal scores.
        operators: distance of each operator unlike any trained on.
        unseen_shapes: share of graphs larger, smaller or denser than any trained on.
        agreement: Spearman's rank correlation of the scores with `params`, `flops` and
            `activations`, and with the number of each operator in the graph.
        prior: weight of the networks' size in the scores, from 0 to 1.
        readings: how the descriptions of the user's operators were read.
    """

    verdict: str
    expected: Expected | None
    architectures: int
    novelty: float
    disagreement: float | None
    operators: Mapping[str, float]
    unseen_shapes: float
    agreement: Mapping[str, float]
    prior: float
    readings: Sequence[Understood]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {**asdict(self), "readings": [each._asdict() for each in self.readings]}

    def __str__(self) -> str:
        unlike = ", ".join(f"{name} {far:.2f}" for name, far in self.operators.items()) or "none"
        costs = [name for name in prior.COSTS if name in self.agreement]
        strongest = sorted(self.agreement, key=lambda name: -abs(self.agreement[name]))
        shown = [*costs, *[name for name in strongest if name not in costs][:2]]
        agreement = ", ".join(f"{name} {self.agreement[name]:.2f}" for name in shown) or "unknown"
        spread = (
            "unknown"
            if self.disagreement is None
            else f"{self.disagreement:.0%} of the differences between the scores"
        )
        known = self.expected
        expected = f"{known.low:.2f} to {known.high:.2f}" if known else "unknown"
        members = [
            f"disagreement of the members: {spread}",
            f"operators unlike those of training: {unlike}",
            f"graphs of unseen shape: {self.unseen_shapes:.0%}; novelty {self.novelty:.2f}",
        ]
        return "\n  ".join(
            [
                self.verdict,
                *listed(self.readings),
                f"Spearman to expect: {expected}",
                *(members if self.prior < 1 else []),
                f"rank agreement: {agreement}",
            ]
        )


def assess(
    predictor: Predictor, graphs: pa.Table, scores: pa.Table, source: str = "graphs"
) -> Trust:
    """Judge how far to trust the ranking of architectures.

    Args:
        predictor: the predictor that scored them.
        graphs: rows of the `graphs` contract; the columns of costs may be missing.
        scores: the scores from `Predictor.predict`.
        source: what to call the graphs in an error.

    Raises:
        SnapError: an operator has no vector.
    """
    config, score = predictor.model.config, scores["score"].to_numpy()
    share = predictor.share_of_members(graphs)
    by_members = np.flatnonzero(share)
    if by_members.size:
        predictor = predictor.with_described(graphs.schema, source)
    distance = _Distance.of(predictor, graphs.take(by_members))
    novelty = scores["novelty"].take(by_members).to_numpy()
    disagreement = _disagreement(score[by_members], scores["spread"].take(by_members))
    readings = predictor.readings(graphs, source)
    spaces = graphs["space"].unique().to_pylist()
    size = 1 - float(share.mean()) if len(share) else 0.0
    evidence = Evidence(
        architectures=len(score),
        equal=_equal(score),
        few=len(score) < _FEWEST,
        features=distance.features(disagreement),
        operators=distance.operators,
        larger=distance.larger,
        space=spaces[0] if len(spaces) == 1 and (distance.kept or size > _MOSTLY) else None,
        tau=config.training.tau,
        doubtful=[each.operator for each in readings if each.doubt],
    )
    networks = int(np.count_nonzero(share < _MOSTLY))
    if config.adapted is not None:
        verdict, expected = judge_adapted(evidence, config.adapted, spaces)
    elif 0 < networks < len(share):
        verdict, expected = judge_mixture(networks, len(share) - networks), None
    elif size > _MOSTLY:
        verdict, expected = judge_networks(evidence, size, float(score.std()), config.networks)
    else:
        verdict, expected = judge(evidence, config.calibration)
    return Trust(
        verdict=verdict,
        expected=expected,
        architectures=len(score),
        novelty=float(novelty.mean()) if len(novelty) else 0.0,
        disagreement=disagreement,
        operators=distance.operators,
        unseen_shapes=distance.unseen,
        agreement=_agreement(graphs, score),
        prior=size,
        readings=readings,
    )


def assess_files(predictor: Predictor, graphs: FilePath, scores: FilePath) -> Trust:
    """Assess the architectures of a file, given the file of their scores.

    Up to 10,000 rows, evenly spaced, are assessed.

    Raises:
        SnapError: a file cannot be read, or the scores may be from several scorers.
    """
    if "scorer" in column_names(scores):
        raise SnapError(f"{scores}: has a column 'scorer'; give scores as snap-gcn predict does")
    sample = _sample(Stream(graphs, "graphs", columns_to_read(graphs)))
    found = _sample(Stream(scores, "scores", ["score", "spread", "novelty"]))
    return assess(predictor, sample, found, str(graphs))


def features(predictor: Predictor, graphs: pa.Table, scores: pa.Table) -> Features:
    """Compute the features of a calibration for graphs and their scores, as `assess` takes them."""
    disagreement = _disagreement(scores["score"].to_numpy(), scores["spread"])
    return _Distance.of(predictor, graphs).features(disagreement)


def _disagreement(score: Floats, spread: pa.ChunkedArray) -> float | None:
    if len(score) < _FEWEST or spread.null_count or _equal(score):
        return None
    return float(spread.to_numpy().mean() / score.std())


def _equal(score: Floats) -> bool:
    return not len(score) or float(np.ptp(score)) <= _EQUAL


@dataclass(frozen=True)
class _Distance:
    """The distance of a population of graphs from training."""

    # distance of each operator unlike any trained on, the furthest first
    operators: dict[str, float]
    distance: float  # mean distance of all operators
    size: float  # mean `oversize`, compared with the training cells before any view
    larger: float  # share of graphs with positive `oversize`
    unseen: float  # share of graphs of a shape that no member saw in training, through its views
    kept: bool  # whether all operators have the vectors of the model's folder

    @classmethod
    def of(cls, predictor: Predictor, table: pa.Table) -> "_Distance":
        """Compare graphs with the training data, before and through the predictor's views."""
        familiar, count = predictor.familiar, max(table.num_rows, 1)
        training_space = predictor.model.config.training_space
        shapes = training_space.shapes if training_space else familiar.ranges
        sizes = oversize(Graphs.from_table(table), shapes)
        operators: dict[str, float] = {}
        unseen, distances, kept = np.zeros(table.num_rows, np.bool_), [], True
        for graphs, op in predictor.seen(table):
            for word, row in np.unique(np.stack([graphs.op, op]), axis=1).T:
                if familiar.distances[row] > _UNLIKE:
                    operators[graphs.vocabulary[word]] = float(familiar.distances[row])
            kept &= bool(predictor.kept[op].all())
            unseen |= shape_distance(graphs, familiar.ranges) > 0
            distances.append(familiar.operator_distance(graphs, op).sum() / count)
        return cls(
            operators=dict(sorted(operators.items(), key=lambda item: -item[1])),
            distance=float(np.mean(distances)),
            size=float(sizes.sum()) / count,
            larger=float((sizes > 0).sum()) / count,
            unseen=float(unseen.sum()) / count,
            kept=kept,
        )

    def features(self, disagreement: float | None) -> Features:
        """Return the features of a calibration."""
        found = {"operators": self.distance, "size": self.size, "disagreement": disagreement}
        return {name: round(far, _DIGITS) for name, far in found.items() if far is not None}


def _agreement(table: pa.Table, score: Floats) -> dict[str, float]:
    """Return the rank correlation of the scores with costs and operator counts."""
    if len(score) < _FEWEST:
        return {}
    graphs = Graphs.from_table(table)
    counts = np.zeros((len(graphs), len(graphs.vocabulary)), np.int64)
    np.add.at(counts, (np.repeat(np.arange(len(graphs)), graphs.sizes), graphs.op), 1)
    columns = {
        name: table[name].to_numpy()
        for name in prior.COSTS
        if name in table.column_names and not table[name].null_count
    } | dict(zip(graphs.vocabulary, counts.T, strict=True))
    found = {name: spearman(values, score) for name, values in columns.items()}
    return {name: rho for name, rho in found.items() if rho is not None}


def _sample(stream: Stream) -> pa.Table:
    """Return up to 10,000 rows of a file, evenly spaced."""
    step = max(1, -(-stream.num_rows // _SAMPLE))
    parts = [stream.schema.empty_table()]
    for part in stream.parts(_AT_ONCE):
        parts.append(part.table.take(np.arange(-part.first % step, part.table.num_rows, step)))
    return pa.concat_tables(parts)
