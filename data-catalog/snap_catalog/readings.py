"""How descriptions of operators were understood, as the tools report it."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

COLUMNS = ("reading", "confidence", "doubt")
"""Columns of the `operators` contract on how a description was read."""


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
        shown = f"{self.operator}: read as {self.reading} ({self.confidence:.2f})"
        return f"{shown}; {self.doubt or 'check'}"


def understood(table: pa.Table) -> Iterator[Understood]:
    """Yield how descriptions were read, of those rows of the `operators` contract that were."""
    if set(COLUMNS) <= set(table.column_names):
        for row in table.select(["op", *COLUMNS]).to_pylist():
            if row["reading"] is not None:
                yield Understood(row["op"], *(row[name] for name in COLUMNS))
