"""Graphs as a member of a predictor sees them."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
from snap_graphs import Graphs, views
from snap_graphs.structure import pruned

from snap_gcn.model.recipe import View

COLUMNS = ("space", "arch_id", "nodes", "src", "dst")
"""Columns of a `graphs` file that a network reads."""
_MOST_PARALLEL = 4
"""Parallel edges that are kept: the most that a cell of four nodes, as in NAS-Bench-201, has."""


def viewed(table: pa.Table, names: Iterable[View]) -> pa.Table:
    """Apply views to the graphs of a table."""
    table = table.select(list(COLUMNS))
    for name in names:
        table = getattr(views, name)(table)
    return table


def one_form(graphs: Graphs, spaces: pa.ChunkedArray) -> Graphs:
    """Remove dead and identity operators, given (graphs,) the space of each graph.

    Cells that differ in these alone become equal. More than four parallel edges count as four,
    which bounds the size of a cell.
    """
    return views.contracted(pruned(graphs), spaces, _MOST_PARALLEL)


def all_viewed(
    graphs: Graphs,
    spaces: pa.ChunkedArray,
    wanted: Iterable[tuple[View, ...]],
    *,
    dead: bool = True,
) -> Mapping[tuple[View, ...], Graphs]:
    """Apply several sequences of views to graphs; common prefixes are computed once.

    `spaces` has the space of each graph; `dead` says whether graphs may have dead operators.
    """
    seen: dict[tuple[View, ...], Graphs] = {(): graphs}
    if not dead:
        seen["prune",] = graphs
    wanted = list(wanted)
    for names in wanted:
        for i, name in enumerate(names):
            if names[: i + 1] not in seen:
                before = seen[names[:i]]
                seen[names[: i + 1]] = (
                    pruned(before) if name == "prune" else views.with_implicit(before, spaces)
                )
    return {names: seen[names] for names in wanted}
