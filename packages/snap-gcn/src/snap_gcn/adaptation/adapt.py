"""Adapt a predictor to measurements, and report the result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from msgspec import structs
from snap_catalog import SnapError
from snap_catalog.metrics import oriented
from snap_catalog.readings import Understood, listed

from snap_gcn.adaptation.adaptation import Adaptation
from snap_gcn.adaptation.measurements import Measurements
from snap_gcn.adaptation.other_scores import NO_SCORES, OtherScores
from snap_gcn.data.encoders import described
from snap_gcn.model.folder import Model
from snap_gcn.model.schema import Adapted
from snap_gcn.predictor import Predictor
from snap_gcn.ranks import shown, spearman


@dataclass(frozen=True)
class Result:
    """An adapted model, and the report on it."""

    model: Model  # the model
    adapted: Adapted  # the entry in its configuration
    relevance: dict[str, float]  # share of the prior variance by group of features
    readings: Sequence[Understood]  # how the descriptions of the user's operators were read

    def __str__(self) -> str:
        record, shares = self.adapted, sorted(self.relevance.items(), key=lambda item: -item[1])
        return "\n  ".join(
            [
                f"adapted to {record.labels:,} measurements of {record.metric}",
                f"leave-one-out Spearman: {shown(record.left_out, record.labels)}",
                f"without the measurements: {shown(record.before, record.labels)}",
                "what mattered: " + ", ".join(f"{name} {share:.0%}" for name, share in shares),
                *listed(self.readings),
            ]
        )


def adapted(
    predictor: Predictor,
    table: pa.Table,
    measured: Measurements,
    name: str,
    source: str,
    other_scores: OtherScores = NO_SCORES,
) -> Result:
    """Adapt a predictor to measurements; `name` is that of the new model.

    `table` has rows of the `graphs` contract, measured or not, and `source` names it in an error.
    The scores of other scorers are features.

    Raises:
        SnapError: an operator of a graph that the members score has no vector, another scorer has
            no score of an architecture, or the predictor is adapted already.
    """
    config = predictor.model.config
    if config.adapted is not None:
        raise SnapError(
            f"{predictor.model.source}: adapted already; adapt the model it was made of to all "
            "measurements together"
        )
    needed = described(table.schema, source) and predictor.share_of_members(table).any()
    reader = predictor.with_described(table.schema, source) if needed else predictor
    less = measured.direction == "min"
    found = Adaptation.fit(
        reader, table, measured.rows, measured.values, less=less, other_scores=other_scores
    )
    better = oriented(measured.values, measured.direction)
    record = Adapted(
        metric=measured.metric,
        direction=measured.direction,
        labels=len(measured.values),
        operators=list(found.inputs.operators),
        costs=list(found.inputs.costs),
        scorers=list(found.inputs.scorers),
        spaces=sorted(table["space"].unique().to_pylist()),
        before=spearman(found.surrogate.points.score, better),
        left_out=spearman(found.surrogate.left_out(measured.rows)[0], better),
    )
    fresh = structs.replace(config, name=name, kind="adapted", adapted=record)
    model = replace(
        predictor.model,
        config=fresh,
        operators=reader.vocabulary.table,
        surrogate=found.tensors(),
    )
    readings = reader.readings(table, source)
    return Result(model, record, found.relevance(), readings)
