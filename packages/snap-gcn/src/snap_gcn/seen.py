"""Graphs as a member of a predictor sees them."""

from collections.abc import Iterable

import pyarrow as pa
from snap_graphs import views

from snap_gcn.recipe import View

_COLUMNS = ["space", "arch_id", "nodes", "src", "dst"]


def viewed(table: pa.Table, names: Iterable[View]) -> pa.Table:
    """Return a table's graphs as a member sees them."""
    table = table.select(_COLUMNS)
    for name in names:
        table = getattr(views, name)(table)
    return table
