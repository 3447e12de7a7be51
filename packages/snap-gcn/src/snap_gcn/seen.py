"""Graphs as a member of a predictor sees them."""

from collections.abc import Iterable

import pyarrow as pa
from snap_graphs import views

from snap_gcn.recipe import View

COLUMNS = ("space", "arch_id", "nodes", "src", "dst")
"""What a network reads of a `graphs` file."""


def viewed(table: pa.Table, names: Iterable[View]) -> pa.Table:
    """Return a table's graphs as a member sees them."""
    names = tuple(names)
    return all_viewed(table, [names])[names]


def all_viewed(
    table: pa.Table, wanted: Iterable[tuple[View, ...]]
) -> dict[tuple[View, ...], pa.Table]:
    """Return a table's graphs through each of several sequences of views.

    What sequences have in common at their beginnings is computed once.
    """
    tables: dict[tuple[View, ...], pa.Table] = {(): table.select(list(COLUMNS))}
    wanted = list(wanted)
    for names in wanted:
        for i, name in enumerate(names):
            if names[: i + 1] not in tables:
                tables[names[: i + 1]] = getattr(views, name)(tables[names[:i]])
    return {names: tables[names] for names in wanted}
