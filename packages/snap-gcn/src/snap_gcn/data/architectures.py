"""The forms in which a predictor accepts architectures."""

from collections.abc import Sequence
from typing import TypeAlias

import pyarrow as pa
from snap_catalog import SnapError, graph_facts
from snap_graphs import Cell, graph_table, space

from snap_gcn.data.views import COLUMNS
from snap_gcn.model.prior import COSTS

Architectures: TypeAlias = "pa.Table | Sequence[Cell] | Sequence[str]"
"""Rows of the `graphs` contract, cells, or native strings of a search space."""


def as_table(graphs: Architectures, space_name: str | None) -> pa.Table:
    """Convert architectures to a table with the columns that a predictor reads.

    Cells and strings need the name of their search space, which may be unknown for cells. A string
    is its own `arch_id`; cells are numbered. Whole networks get their costs if the search space can
    compute them.

    Raises:
        SnapError: cells or strings have no space, or a string does not belong to the space.
    """
    if isinstance(graphs, pa.Table):
        return graphs
    if space_name is None:
        raise SnapError("cells and strings need their search space, as in space='nb201'")
    cells = [space(space_name).parse(g) if isinstance(g, str) else g for g in graphs]
    ids = [g if isinstance(g, str) else str(i) for i, g in enumerate(graphs)]
    costs = COSTS if graph_facts(space_name).whole else ()
    table = graph_table(space_name, cells, arch_ids=ids)
    return table.select([*COLUMNS, *(name for name in costs if name in table.column_names)])


def spaces_of(graphs: pa.Table) -> str:
    """Return the search spaces of a table, to name it in an error if it is not a file."""
    return ", ".join(graphs["space"].unique().to_pylist())
