"""How descriptions of operators were understood, as the tools report it."""

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
"""Confidence from which on what was read counts, and no longer the words."""
_LISTED = 12
"""Operators that a report lists."""


class Understood(NamedTuple):
    """What a user's description of an operator was read as.

    Attributes:
        operator: its name.
        reading: what was understood.
        confidence: how sure its kind is, from 0 to 1.
        doubt: what is wrong with the description, if anything is.
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
    """Return the lines of a report: at most 12 operators, those in doubt first."""
    ordered = sorted(readings, key=lambda each: each.doubt is None)
    lines, more = [*map(str, ordered[:_LISTED])], len(ordered) - _LISTED
    return [*lines, f"and {more} more"] if more > 0 else lines


def understood(table: pa.Table) -> Iterator[Understood]:
    """Yield how descriptions were read, of those rows of the `operators` contract that were."""
    if set(COLUMNS) <= set(table.column_names):
        for row in table.select(["op", *COLUMNS]).to_pylist():
            if row["reading"] is not None:
                yield Understood(row["op"], *(row[name] for name in COLUMNS))
