"""Make an adapted model of a predictor and measurements."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import structs
from snap_catalog import SnapError

from snap_gcn.adaptation.adaptation import Adaptation
from snap_gcn.adaptation.measured import Labels
from snap_gcn.model.folder import Model
from snap_gcn.model.schema import Adapted
from snap_gcn.predictor import Predictor
from snap_gcn.ranks import spearman

Floats = npt.NDArray[np.float64]

_FEWEST = 4
"""Measurements from which on an interval of their rank correlation is given."""
_WIDTH = 1.96
"""Standard deviations to each side of an interval that holds 95 %."""


@dataclass(frozen=True)
class Result:
    """An adapted model, and what to say of it.

    Attributes:
        model: the model.
        adapted: what its configuration records.
        relevance: by group of features, its share of the prior variance.
    """

    model: Model
    adapted: Adapted
    relevance: dict[str, float]

    def __str__(self) -> str:
        record, shares = self.adapted, sorted(self.relevance.items(), key=lambda item: -item[1])
        return "\n  ".join(
            [
                f"adapted to {record.labels:,} measurements of {record.metric}",
                f"Spearman with what the others predict: {_rho(record.left_out, record.labels)}",
                f"Spearman with the scores before: {_rho(record.before, record.labels)}",
                "what mattered: " + ", ".join(f"{name} {share:.0%}" for name, share in shares),
            ]
        )


def adapted(
    predictor: Predictor, table: pa.Table, labels: Labels, name: str, source: str
) -> Result:
    """Adapt a predictor to measurements.

    Args:
        predictor: the predictor; one that was adapted already is refused.
        table: rows of the `graphs` contract, measured and not.
        labels: the measurements.
        name: of the new model.
        source: what to call the table in an error.

    Raises:
        SnapError: an operator has no vector, or the predictor was adapted before.
    """
    config = predictor.model.config
    if config.adapted is not None:
        raise SnapError(
            f"{predictor.model.source}: adapted already; adapt the model it was made of to all "
            "measurements together"
        )
    reader = predictor.with_described(table.schema, source)
    less = labels.direction == "min"
    found = Adaptation.fit(reader, table, labels.rows, labels.values, less=less)
    better = -labels.values if less else labels.values
    record = Adapted(
        metric=labels.metric,
        direction=labels.direction,
        labels=len(labels.values),
        operators=list(found.operators),
        costs=list(found.costs),
        before=spearman(found.surrogate.points.score, better),
        left_out=spearman(found.surrogate.left_out()[0], better),
    )
    fresh = structs.replace(config, name=name, kind="adapted", adapted=record)
    model = replace(
        predictor.model,
        config=fresh,
        operators=reader.vocabulary.table,
        surrogate=found.tensors(),
    )
    return Result(model, record, found.relevance())


def _rho(rho: float | None, count: int) -> str:
    """Write a rank correlation and its interval (Bonett and Wright 2000)."""
    if rho is None:
        return "undefined"
    if count < _FEWEST or abs(rho) == 1:
        return f"{rho:.2f}"
    width = _WIDTH * np.sqrt((1 + rho**2 / 2) / (count - 3))
    low, high = np.tanh(np.arctanh(rho) + np.array([-width, width]))
    return f"{rho:.2f} ({low:.2f} to {high:.2f})"
