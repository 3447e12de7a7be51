"""Summarise a file of graphs."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog.metrics import is_metric
from snap_catalog.parquet import decode_metadata


@dataclass(frozen=True)
class MetricSummary:
    """Summary of a metric column; `low` and `high` are None if it has no values.

    Attributes:
        name: the column.
        low: its least value.
        high: its greatest value.
        direction: whether higher (`max`) or lower (`min`) is better.
        unit: unit of the values.
        nulls: number of architectures without a value.
    """

    name: str
    low: float | None
    high: float | None
    direction: str
    unit: str
    nulls: int


@dataclass(frozen=True)
class Summary:
    """Summary of a file of graphs.

    Attributes:
        rows: number of architectures.
        spaces: architectures by search space.
        classes: number of distinct cells (values of `cell_hash`).
        operators: number of occurrences of each operator.
        metrics: one entry per metric column.
        provenance: the file's `snap.*` metadata, without that prefix.
    """

    rows: int
    spaces: dict[str, int]
    classes: int
    operators: dict[str, int]
    metrics: tuple[MetricSummary, ...]
    provenance: dict[str, str]


def summarise(table: pa.Table) -> Summary:
    """Summarise a table of the `graphs` contract."""
    entries = decode_metadata(table.schema)
    return Summary(
        rows=table.num_rows,
        spaces=_counts(table["space"]),
        classes=len(table["cell_hash"].unique()),
        operators=_counts(pc.list_flatten(table["nodes"])),
        metrics=tuple(_metric(table, c) for c in table.column_names if is_metric(c)),
        provenance={key.removeprefix("snap."): value for key, value in entries.items()},
    )


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    counts = values.value_counts()
    pairs = zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _metric(table: pa.Table, name: str) -> MetricSummary:
    entries = table.schema.field(name).metadata or {}
    ends = pc.min_max(table[name]).as_py()
    return MetricSummary(
        name=name,
        low=ends["min"],
        high=ends["max"],
        direction=entries.get(b"direction", b"").decode(errors="replace"),
        unit=entries.get(b"unit", b"").decode(errors="replace"),
        nulls=table[name].null_count,
    )
