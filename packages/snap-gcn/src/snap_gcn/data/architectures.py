"""What a predictor can be asked to score."""

from collections.abc import Sequence
from typing import TypeAlias

import pyarrow as pa
from snap_catalog import SnapError, graph_facts
from snap_graphs import Cell, Graphs, space

Architectures: TypeAlias = "pa.Table | Sequence[Cell] | Sequence[str]"
"""Rows of the `graphs` contract, cells, or a space's native strings."""


def as_table(graphs: Architectures, home: str | None) -> pa.Table:
    """Return architectures as a table with the columns that a predictor reads.

    Strings name themselves; cells are numbered.

    Args:
        graphs: the architectures.
        home: the search space of cells and strings; of cells, it may be one that is not known.

    Raises:
        SnapError: cells or strings come without a space, or a string is none of the space's.
    """
    if isinstance(graphs, pa.Table):
        return graphs
    if home is None:
        raise SnapError("cells and strings need their search space, as in space='nb201'")
    cells = [space(home).parse(g) if isinstance(g, str) else g for g in graphs]
    ids = [g if isinstance(g, str) else str(i) for i, g in enumerate(graphs)]
    sources, targets = ([[edge[i] for edge in cell.edges] for cell in cells] for i in (0, 1))
    table = pa.table(
        {
            "space": pa.array([home] * len(cells), pa.string()),
            "arch_id": pa.array(ids, pa.string()),
            "nodes": pa.array([cell.nodes for cell in cells], pa.list_(pa.string())),
            "src": pa.array(sources, pa.list_(pa.int16())),
            "dst": pa.array(targets, pa.list_(pa.int16())),
        }
    )
    return _with_costs(table, home) if graph_facts(home).whole else table


def spaces_of(graphs: pa.Table) -> str:
    """Return what to call a table that is no file in an error: its search spaces."""
    return ", ".join(graphs["space"].unique().to_pylist())


def _with_costs(table: pa.Table, home: str) -> pa.Table:
    """Add what whole networks cost, where their space knows."""
    costs = space(home).costs(Graphs.from_table(table))
    for name, values in costs._asdict().items() if costs else ():
        table = table.append_column(name, pa.array(values, pa.int64()))
    return table
