"""Make an adapted model of a predictor and measurements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from msgspec import structs
from snap_catalog import SnapError
from snap_catalog.readings import Understood, listed

from snap_gcn.adaptation.adaptation import Adaptation
from snap_gcn.adaptation.given import NO_SCORES, Given
from snap_gcn.adaptation.measured import Labels
from snap_gcn.data.encoders import described
from snap_gcn.model.folder import Model
from snap_gcn.model.schema import Adapted
from snap_gcn.predictor import Predictor
from snap_gcn.ranks import shown, spearman


@dataclass(frozen=True)
class Result:
    """An adapted model, and what to say of it.

    Attributes:
        model: the model.
        adapted: what its configuration records.
        relevance: by group of features, its share of the prior variance.
        readings: how the descriptions of the user's operators were understood.
    """

    model: Model
    adapted: Adapted
    relevance: dict[str, float]
    readings: Sequence[Understood]

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
    labels: Labels,
    name: str,
    source: str,
    given: Given = NO_SCORES,
) -> Result:
    """Adapt a predictor to measurements.

    Args:
        predictor: the predictor; one that was adapted already is refused.
        table: rows of the `graphs` contract, measured and not.
        labels: the measurements.
        name: of the new model.
        source: what to call the table in an error.
        given: scores of other scorers, to look at besides.

    Raises:
        SnapError: an operator of a graph for which the members count has no vector, an architecture
            has no score among those given, or the predictor was adapted before.
    """
    config = predictor.model.config
    if config.adapted is not None:
        raise SnapError(
            f"{predictor.model.source}: adapted already; adapt the model it was made of to all "
            "measurements together"
        )
    needed = described(table.schema, source) and predictor.share_of_members(table).any()
    reader = predictor.with_described(table.schema, source) if needed else predictor
    less = labels.direction == "min"
    found = Adaptation.fit(reader, table, labels.rows, labels.values, less=less, given=given)
    better = -labels.values if less else labels.values
    record = Adapted(
        metric=labels.metric,
        direction=labels.direction,
        labels=len(labels.values),
        operators=list(found.inputs.operators),
        costs=list(found.inputs.costs),
        scorers=list(found.inputs.scorers),
        spaces=sorted(table["space"].unique().to_pylist()),
        before=spearman(found.surrogate.points.score, better),
        left_out=spearman(found.surrogate.left_out(labels.rows)[0], better),
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
