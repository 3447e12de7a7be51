"""Make measurers of specs."""

import math
from pathlib import Path

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_graphs import Space

from snap_evo.measuring.command_measurer import SECONDS, CommandMeasurer
from snap_evo.measuring.interfaces import Measurer, Outcome
from snap_evo.programs import split_seconds
from snap_evo.scorers import TableScorer

_FORMS = "command:[SECONDSs:]PROGRAM {arch} {graph} {output}, table:FILE:COLUMN or train:DATA"


class TableMeasurer:
    """Looks measurements up in a column of a `graphs.parquet` file."""

    def __init__(self, file: str, column: str) -> None:
        """Read the column."""
        self._table = TableScorer(file, column)
        self.metric: str = self._table.column
        self.direction: Direction = self._table.direction

    def measure(self, graph: pa.Table, folder: Path) -> Outcome:
        """Return the value of an architecture, or a failure if the file has none."""
        value = float(self._table.look_up(graph)[0])
        if not math.isfinite(value):
            return Outcome(None, note="the table has no value of it")
        return Outcome(value)


def load_measurer(spec: str, space: Space) -> Measurer:
    """Make a measurer.

    Args:
        spec: `command:[SECONDSs:]PROGRAM {arch} {graph} {output}`, `table:FILE:COLUMN`, or
            `train:DATA`.
        space: the space of the architectures; its code may be imported.

    Raises:
        SnapError: it is none of these, or its arguments are wrong.
    """
    name, _, rest = spec.partition(":")
    if name == "command" and rest:
        return CommandMeasurer(*split_seconds(rest, SECONDS))
    if name == "table" and ":" in rest:
        file, _, column = rest.rpartition(":")
        return TableMeasurer(file, column)
    if name == "train" and rest:
        from snap_evo.training import measurer

        return measurer(rest, space)
    raise SnapError(f"cannot read the measurer {spec!r:.80}; write it as {_FORMS}")
