"""How far a ranking is to be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.parquet import column_names
from snap_catalog.readings import Understood, listed
from snap_catalog.streams import Stream
from snap_graphs import Graphs

from snap_gcn.data.views import COLUMNS
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
"""Architectures of a file that are looked at, evenly spaced."""
_FEWEST = 10
"""Architectures from which on the scores' deviation and rank correlations are estimated."""
_UNLIKE = 0.05
"""Distance to the nearest operator trained on from which on an operator is named."""
_EQUAL = 1e-6
"""Range of scores within which they count as equal: 32-bit sums depend on the machine."""
_MOSTLY = 0.5
"""Share of the prior from which on a ranking is judged as one of whole networks."""
_AT_ONCE = 65_536
_DIGITS = 4
"""Of a feature: equal populations are equally far whatever the order of a sum."""


@dataclass(frozen=True)
class Trust:
    """What speaks for and against a ranking.

    Attributes:
        verdict: whether to rely on it, and why, in one line.
        expected: the rank correlation with accuracy to expect; None where the model was not
            calibrated, or not for architectures as far from training as these.
        architectures: how many were looked at.
        novelty: their mean distance from what the model was trained on.
        disagreement: mean ensemble standard deviation, in standard deviations of the scores; None
            for a single member, for fewer than 10 architectures, and for equal scores.
        operators: those unlike any trained on, and their distance to the nearest.
        unseen_shapes: share of graphs larger, smaller or denser than any trained on.
        agreement: Spearman's rank correlation of the scores with `params`, `flops` and
            `activations`, and with the number of each operator in the graph.
        prior: what the networks' size counts for in the scores, from 0 to 1.
        readings: how the descriptions of the user's operators among these were understood.
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

    def __str__(self) -> str:
        return "\n  ".join([self.verdict, *self._details()])

    def as_dict(self) -> dict[str, Any]:
        """Return the same for JSON."""
        return {**asdict(self), "readings": [each._asdict() for each in self.readings]}

    def _details(self) -> list[str]:
        unlike = ", ".join(f"{name} {far:.2f}" for name, far in self.operators.items()) or "none"
        costs = [name for name in prior.COSTS if name in self.agreement]
        strongest = sorted(self.agreement, key=lambda name: -abs(self.agreement[name]))
        shown = dict.fromkeys([*costs, *[n for n in strongest if n not in costs][:2]])
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
        return [
            *listed(self.readings),
            f"Spearman to expect: {expected}",
            *(members if self.prior < 1 else []),
            f"rank agreement: {agreement}",
        ]


def assess(
    predictor: Predictor, graphs: pa.Table, scores: pa.Table, source: str = "graphs"
) -> Trust:
    """Judge how far the ranking of some architectures is to be trusted.

    Args:
        predictor: what scored them.
        graphs: rows of the `graphs` contract; the columns of costs may be missing.
        scores: what `Predictor.predict` returned for them.
        source: what to call the graphs in an error.

    Raises:
        SnapError: an operator has no vector.
    """
    config, score = predictor.model.config, scores["score"].to_numpy()
    share = predictor.share_of_members(graphs)
    asked = np.flatnonzero(share)
    if asked.size:
        predictor = predictor.with_described(graphs.schema, source)
    away = _Away.of(predictor, graphs.take(asked))
    novelty = scores["novelty"].take(asked).to_numpy()
    disagreement = _disagreement(score[asked], scores["spread"].take(asked))
    readings = predictor.readings(graphs, source)
    evidence = Evidence(
        architectures=len(score),
        equal=_equal(score),
        few=len(score) < _FEWEST,
        features=away.features(disagreement),
        operators=away.operators,
        larger=away.larger,
        space=away.space,
        tau=config.training.tau,
        doubtful=[each.operator for each in readings if each.doubt],
    )
    size = 1 - float(share.mean()) if len(share) else 0.0
    networks = int(np.count_nonzero(share < _MOSTLY))
    if config.adapted is not None:
        spaces = graphs["space"].unique().to_pylist()
        verdict, expected = judge_adapted(evidence, config.adapted, spaces)
    elif 0 < networks < len(share):
        verdict, expected = judge_mixture(networks, len(share) - networks), None
    elif size > _MOSTLY:
        evidence = replace(evidence, space=_only_space(graphs))
        deviation = float(score.std())
        verdict, expected = judge_networks(evidence, size, deviation, config.networks)
    else:
        verdict, expected = judge(evidence, config.calibration)
    return Trust(
        verdict=verdict,
        expected=expected,
        architectures=len(score),
        novelty=float(novelty.mean()) if len(novelty) else 0.0,
        disagreement=disagreement,
        operators=away.operators,
        unseen_shapes=away.unseen,
        agreement=_agreement(graphs, score),
        prior=size,
        readings=readings,
    )


def _only_space(graphs: pa.Table) -> str | None:
    spaces = graphs["space"].unique().to_pylist()
    return spaces[0] if len(spaces) == 1 else None


def assess_files(predictor: Predictor, graphs: str, scores: str) -> Trust:
    """Assess the architectures of a file, given the file of their scores.

    Of large files 10,000 rows, evenly spaced, are looked at.

    Raises:
        SnapError: a file cannot be read, or the scores may be of several scorers.
    """
    if "scorer" in column_names(scores):
        raise SnapError(f"{scores}: has a column 'scorer'; give scores as snap-gcn predict does")
    sizes = [name for name in prior.COLUMNS if name in column_names(graphs)]
    looked_at = _sample(Stream(graphs, "graphs", [*COLUMNS, *sizes]))
    found = _sample(Stream(scores, "scores", ["score", "spread", "novelty"]))
    return assess(predictor, looked_at, found, graphs)


def features(predictor: Predictor, graphs: pa.Table, scores: pa.Table) -> Features:
    """Compute how far architectures are from training, as a calibration sees it.

    Args:
        predictor: what scored them.
        graphs: rows of the `graphs` contract.
        scores: what `Predictor.predict` returned for them.
    """
    disagreement = _disagreement(scores["score"].to_numpy(), scores["spread"])
    return _Away.of(predictor, graphs).features(disagreement)


def _disagreement(score: npt.NDArray[np.float64], spread: pa.ChunkedArray) -> float | None:
    if len(score) < _FEWEST or spread.null_count or _equal(score):
        return None
    return float(spread.to_numpy().mean() / score.std())


def _equal(score: npt.NDArray[np.float64]) -> bool:
    return not len(score) or float(np.ptp(score)) <= _EQUAL


@dataclass(frozen=True)
class _Away:
    """How far graphs are from those of training.

    Attributes:
        operators: those unlike any trained on, the furthest first, and their distance.
        distance: mean distance of all operators.
        size: mean `oversize`, of graphs and of training cells as they are.
        larger: share of graphs with any.
        unseen: share of graphs of a shape that no member saw in training, through its views.
        space: the search space of all of them, if its operators are those of the model's folder.
    """

    operators: dict[str, float]
    distance: float
    size: float
    larger: float
    unseen: float
    space: str | None

    @classmethod
    def of(cls, predictor: Predictor, table: pa.Table) -> "_Away":
        """Look at graphs as they are, and through each of the predictor's views."""
        familiar, count = predictor.familiar, max(table.num_rows, 1)
        apart = predictor.model.config.training_space
        plain = apart.shapes if apart else familiar.ranges
        sizes = oversize(Graphs.from_table(table), plain)
        operators: dict[str, float] = {}
        unseen, distances, kept = np.zeros(table.num_rows, np.bool_), [], True
        for graphs, op in predictor.seen(table):
            for word, row in np.unique(np.stack([graphs.op, op]), axis=1).T:
                if familiar.distances[row] > _UNLIKE:
                    operators[graphs.vocabulary[word]] = float(familiar.distances[row])
            kept &= bool(predictor.kept[op].all())
            unseen |= shape_distance(graphs, familiar.ranges) > 0
            distances.append(familiar.operator_distance(graphs, op).sum() / count)
        spaces = table["space"].unique().to_pylist()
        return cls(
            operators=dict(sorted(operators.items(), key=lambda item: -item[1])),
            distance=float(np.mean(distances)),
            size=float(sizes.sum()) / count,
            larger=float((sizes > 0).sum()) / count,
            unseen=float(unseen.sum()) / count,
            space=spaces[0] if kept and len(spaces) == 1 else None,
        )

    def features(self, disagreement: float | None) -> Features:
        """Return the features of a calibration."""
        found = {"operators": self.distance, "size": self.size, "disagreement": disagreement}
        return {name: round(far, _DIGITS) for name, far in found.items() if far is not None}


def _agreement(table: pa.Table, score: npt.NDArray[np.float64]) -> dict[str, float]:
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
        rows = np.arange(-part.first % step, part.table.num_rows, step)
        parts.append(part.table.take(rows))
    return pa.concat_tables(parts)
