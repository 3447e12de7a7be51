"""Graphs as a member of a predictor sees them."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
from snap_graphs import Graphs, views
from snap_graphs.structure import pruned

from snap_gcn.model.recipe import View

COLUMNS = ("space", "arch_id", "nodes", "src", "dst")
"""What a network reads of a `graphs` file."""
_MOST_PARALLEL = 4
"""As many as cells of four nodes, as NAS-Bench-201's, can have."""


def viewed(table: pa.Table, names: Iterable[View]) -> pa.Table:
    """Return a table's graphs as a member sees them."""
    table = table.select(list(COLUMNS))
    for name in names:
        table = getattr(views, name)(table)
    return table


def one_form(graphs: Graphs, spaces: pa.ChunkedArray) -> Graphs:
    """Return graphs in a form that cells share which differ in dead and identity operators alone.

    More than four parallel edges count as four, so that no cell grows out of bounds.

    Args:
        graphs: the graphs.
        spaces: (graphs,) the space of each.
    """
    return views.contracted(pruned(graphs), spaces, _MOST_PARALLEL)


def all_viewed(
    graphs: Graphs,
    spaces: pa.ChunkedArray,
    wanted: Iterable[tuple[View, ...]],
    *,
    dead: bool = True,
) -> Mapping[tuple[View, ...], Graphs]:
    """Return graphs through each of several sequences of views.

    What sequences have in common at their beginnings is computed once.

    Args:
        graphs: the graphs.
        spaces: (graphs,) the space of each.
        wanted: the sequences.
        dead: whether the graphs may have dead operators.
    """
    seen: dict[tuple[View, ...], Graphs] = {(): graphs}
    if not dead:
        seen["prune",] = graphs
    wanted = list(wanted)
    for names in wanted:
        for i, name in enumerate(names):
            if names[: i + 1] not in seen:
                seen[names[: i + 1]] = _viewed(seen[names[:i]], spaces, name)
    return {names: seen[names] for names in wanted}


def _viewed(graphs: Graphs, spaces: pa.ChunkedArray, name: View) -> Graphs:
    return pruned(graphs) if name == "prune" else views.with_implicit(graphs, spaces)
