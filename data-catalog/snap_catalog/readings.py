"""Report how descriptions of operators were read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

COLUMNS: Mapping[str, pa.DataType] = {
    "reading": pa.string(),
    "confidence": pa.float64(),
    "doubt": pa.string(),
}
"""Columns of the `operators` contract on how a description was read."""
SURE = 0.5
"""Confidence from which the reading alone determines the vector."""
_LISTED = 12
"""Most operators in a report."""


class Understood(NamedTuple):
    """The reading of a user's description of an operator.

    Attributes:
        operator: its name.
        reading: the operator that was recognised.
        confidence: confidence of its kind, from 0 to 1.
        doubt: the problem of the description, if there is one.
    """

    operator: str
    reading: str
    confidence: float
    doubt: str | None

    def __str__(self) -> str:
        read = "read as" if self.confidence >= SURE else "perhaps"
        shown = f"{self.operator}: {read} {self.reading} ({self.confidence:.2f})"
        return f"{shown}; {self.doubt or 'check'}"


def listed(readings: Sequence[Understood]) -> list[str]:
    """Return the lines of a report on at most 12 operators, doubtful ones first."""
    ordered = sorted(readings, key=lambda each: each.doubt is None)
    lines, more = [*map(str, ordered[:_LISTED])], len(ordered) - _LISTED
    return [*lines, f"and {more} more"] if more > 0 else lines


def with_readings(
    table: pa.Table, readings: Sequence[tuple[str, float, str | None] | None]
) -> pa.Table:
    """Add how the descriptions of an `operators` table were read.

    Args:
        table: n operators.
        readings: for each, the reading, its confidence and the doubt; None if it was not read.
    """
    for place, (name, kind) in enumerate(COLUMNS.items()):
        values = [reading and reading[place] for reading in readings]
        table = table.append_column(name, pa.array(values, kind))
    return table


def understood(table: pa.Table) -> Iterator[Understood]:
    """Yield the readings of the rows of an `operators` table that were read."""
    if set(COLUMNS) <= set(table.column_names):
        for row in table.select(["op", *COLUMNS]).to_pylist():
            if row["reading"] is not None:
                yield Understood(row["op"], *(row[name] for name in COLUMNS))
