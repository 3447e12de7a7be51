"""How far a ranking is to be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog.parquet import column_names
from snap_catalog.streams import Stream
from snap_graphs import Graphs

from snap_gcn.data.views import COLUMNS
from snap_gcn.model.schema import Calibration
from snap_gcn.predictor import Predictor
from snap_gcn.reliability.shape import strangeness

_COSTS = ("params", "flops")
_SAMPLE = 10_000
"""Architectures of a file that are looked at, evenly spaced."""
_FEWEST = 10
"""Architectures from which on a rank correlation is told."""
_UNLIKE = 0.05
"""Distance to the nearest operator trained on from which on an operator is named."""
_AT_ONCE = 65_536
_NEAREST = 2
"""Benchmarks that tell which correlation to expect."""


@dataclass(frozen=True)
class Expected:
    """The rank correlation with measured accuracy that is to be expected.

    Attributes:
        low: its lower end; None where no benchmark was as far from training.
        high: its upper end.
        as_on: the benchmarks it was measured on.
    """

    low: float | None
    high: float
    as_on: tuple[str, ...]

    def __str__(self) -> str:
        places = ", ".join(self.as_on)
        if self.low is None:
            return f"no more than {self.high:.2f} (further from training than {places})"
        return f"{self.low:.2f} to {self.high:.2f} (as on {places})"


@dataclass(frozen=True)
class Trust:
    """What speaks for and against a ranking.

    Attributes:
        architectures: how many were looked at.
        novelty: their mean distance from what the model was trained on.
        disagreement: mean deviation over members, in deviations of the scores; None for a single
            member, or where all scores are the same.
        operators: those unlike any trained on, and their distance to the nearest.
        unseen_shapes: share of graphs larger, smaller or denser than any trained on.
        agreement: Spearman's rank correlation of the scores with `params`, with `flops`, and with
            the number of each operator in the cell.
        expected: what the rank correlation with accuracy was on the nearest benchmarks; None
            where the model was not calibrated.
    """

    architectures: int
    novelty: float
    disagreement: float | None
    operators: Mapping[str, float]
    unseen_shapes: float
    agreement: Mapping[str, float]
    expected: Expected | None

    def __str__(self) -> str:
        unlike = ", ".join(f"{name} {far:.2f}" for name, far in self.operators.items()) or "none"
        costs = [name for name in _COSTS if name in self.agreement]
        strongest = sorted(self.agreement, key=lambda name: -abs(self.agreement[name]))
        told = dict.fromkeys([*costs, *[n for n in strongest if n not in costs][:2]])
        agreement = ", ".join(f"{name} {self.agreement[name]:.2f}" for name in told) or "unknown"
        spread = "unknown" if self.disagreement is None else f"{self.disagreement:.0%}"
        return (
            f"operators unlike those of training: {unlike}; graphs of unseen shape: "
            f"{self.unseen_shapes:.0%}; novelty {self.novelty:.2f}; spread over the members: "
            f"{spread} of that over the cells; rank agreement: {agreement}; "
            f"Spearman to expect: {self.expected or 'unknown'}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the same for JSON."""
        return asdict(self)


def assess(predictor: Predictor, graphs: pa.Table, scores: pa.Table) -> Trust:
    """Tell how far the ranking of some architectures is to be trusted.

    Args:
        predictor: what scored them.
        graphs: rows of the `graphs` contract; `params` and `flops` may be missing.
        scores: what `Predictor.predict` returned for them.

    Raises:
        SnapError: an operator has no vector.
    """
    novelty, score = scores["novelty"].to_numpy(), scores["score"].to_numpy()
    mean = float(novelty.mean()) if len(novelty) else 0.0
    spread = scores["spread"]
    told = bool(len(score)) and not spread.null_count and score.std() > 0
    disagreement = float(spread.to_numpy().mean() / score.std()) if told else None
    operators, unseen = _strangers(predictor, graphs)
    return Trust(
        architectures=len(score),
        novelty=mean,
        disagreement=disagreement,
        operators=operators,
        unseen_shapes=unseen,
        agreement=_agreement(graphs, score),
        expected=expected(predictor.model.config.calibration, mean, disagreement),
    )


def assess_files(predictor: Predictor, graphs: str, scores: str) -> Trust:
    """Do the same for the architectures of a file, and the file of their scores.

    Of large files 10,000 rows, evenly spaced, are looked at.

    Raises:
        SnapError: a file cannot be read.
    """
    costs = [name for name in _COSTS if name in column_names(graphs)]
    looked_at = _sample(Stream(graphs, "graphs", [*COLUMNS, *costs]))
    told = _sample(Stream(scores, "scores", ["score", "spread", "novelty"]))
    reader = predictor.with_described(looked_at.schema, graphs)
    return assess(reader, looked_at, told)


def expected(
    calibration: Sequence[Calibration], novelty: float, disagreement: float | None
) -> Expected | None:
    """Tell which rank correlation to expect from the benchmarks that are as far from training.

    Args:
        calibration: the model's record: one entry a benchmark and metric, with `benchmark`,
            `novelty`, `disagreement` and `spearman`.
        novelty: mean novelty of the architectures.
        disagreement: of the members on them, as in `Trust`.

    Returns:
        The range over the two nearest benchmarks and, where both are nearer to training than the
        architectures, the nearest further one; of the furthest one alone where the architectures
        are further still. None where there is no record.
    """
    if not calibration:
        return None

    here = np.array([novelty, disagreement or 0.0])
    places = np.array([[entry.novelty, entry.disagreement or 0.0] for entry in calibration])
    names = [entry.benchmark for entry in calibration]
    far = dict(zip(names, np.abs(places - here).sum(axis=1).tolist(), strict=True))
    further = here > places.max(axis=0)
    beyond = bool(further[0] and (further[1] or disagreement is None))
    ordered = sorted(far, key=lambda name: far[name])
    nearest = ordered[: 1 if beyond else _NEAREST]
    further_out = {
        name for name, place in zip(names, places, strict=True) if sum(place) >= sum(here)
    }
    if not beyond and further_out.isdisjoint(nearest):
        nearest += [name for name in ordered if name in further_out][:1]
    found = [entry.spearman for entry in calibration if entry.benchmark in nearest]
    return Expected(None if beyond else min(found), max(found), tuple(nearest))


def _strangers(predictor: Predictor, table: pa.Table) -> tuple[dict[str, float], float]:
    """Return operators unlike those of training, and the share of graphs of unseen shape."""
    familiar = predictor.familiar
    operators: dict[str, float] = {}
    unseen = np.zeros(table.num_rows, np.bool_)
    for graphs, op in predictor.seen(table):
        for word, row in np.unique(np.stack([graphs.op, op]), axis=1).T:
            if familiar.distances[row] > _UNLIKE:
                operators[graphs.vocabulary[word]] = float(familiar.distances[row])
        unseen |= strangeness(graphs, familiar.ranges) > 0
    ordered = sorted(operators.items(), key=lambda item: -item[1])
    return dict(ordered), float(unseen.mean()) if len(unseen) else 0.0


def _agreement(table: pa.Table, score: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the rank correlation of the scores with costs and operator counts."""
    if len(score) < _FEWEST:
        return {}
    graphs = Graphs.from_table(table)
    counts = np.zeros((len(graphs), len(graphs.vocabulary)), np.int64)
    np.add.at(counts, (np.repeat(np.arange(len(graphs)), graphs.sizes), graphs.op), 1)
    columns = {
        name: table[name].to_numpy()
        for name in _COSTS
        if name in table.column_names and not table[name].null_count
    } | dict(zip(graphs.vocabulary, counts.T, strict=True))
    ranks = _ranks(score)
    return {
        name: float(np.corrcoef(_ranks(values), ranks)[0, 1])
        for name, values in columns.items()
        if values.min() < values.max() and score.min() < score.max()
    }


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return ranks, equal ones averaged."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: npt.NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def _sample(stream: Stream) -> pa.Table:
    """Return up to 10,000 rows of a file, evenly spaced."""
    step = max(1, -(-stream.num_rows // _SAMPLE))
    parts = [stream.schema.empty_table()]
    for part in stream.parts(_AT_ONCE):
        rows = np.arange(-part.first % step, part.table.num_rows, step)
        parts.append(part.table.take(rows))
    return pa.concat_tables(parts)
