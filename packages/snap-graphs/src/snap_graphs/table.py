"""Build tables of the `graphs` contract from cells and metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError, direction_of
from snap_catalog.parquet import decode_metadata
from snap_catalog.rules import MOST_NODES

from snap_graphs.arrays import Graphs
from snap_graphs.cell import Cell, Edges
from snap_graphs.spaces import Costs, Space, defined_space, spaces
from snap_graphs.spaces import space as find_space
from snap_graphs.spaces.base import NodeFacts
from snap_graphs.spaces.custom import DEFINITION
from snap_graphs.structure import structure

STRUCTURE_COLUMNS = frozenset({"cell_hash", "n_dead", "depth", "n_paths"})
"""Columns that depend on the graphs alone."""
NODE_COLUMNS = frozenset({"node_shape", "node_params", "node_flops"})
"""Optional columns with one entry per node."""

_VIEWS = "snap.views"
"""Metadata entry with the views that were applied to a table."""


@dataclass(frozen=True)
class Metric:
    """A metric column.

    Attributes:
        values: (graphs,) one value per architecture; NaN if it was not measured.
        direction: whether higher (`max`) or lower (`min`) is better.
        unit: unit of the values, such as `percent`.
    """

    values: npt.NDArray[np.float64]
    direction: Literal["max", "min"]
    unit: str


def graph_table(
    space: str | Space,
    cells: Sequence[Cell],
    *,
    arch_ids: Sequence[str] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    module_hashes: Sequence[str] | None = None,
) -> pa.Table:
    """Build a table of the `graphs` contract, including the columns that depend on the cells.

    Args:
        space: the search space, or its name; an unknown space needs `arch_ids`, and has no costs.
        cells: one per architecture.
        arch_ids: native strings; formatted by the space if None.
        metrics: metric columns by name.
        module_hashes: NAS-Bench-101's own hashes.

    Raises:
        SnapError: the space is unknown and there are no `arch_ids`, or a graph has too many nodes.
    """
    known = spaces().get(space) if isinstance(space, str) else space
    if arch_ids is None:
        known = known or find_space(space)
        arch_ids = [known.format(cell) for cell in cells]
    named = known.name if known else str(space)
    table = architectures(named, arch_ids, [(cell.nodes, cell.edges) for cell in cells])
    graphs = Graphs.from_table(table)
    costs, facts = (known.costs(graphs), known.node_facts(cells)) if known else (None, None)
    columns = {**structure_columns(graphs), **cost_columns(costs, len(cells))}
    columns |= node_columns(facts) if facts else {}
    if module_hashes is not None:
        columns["module_hash"] = pa.array(module_hashes, pa.string())
    table = with_columns(table, columns)
    for column, metric in (metrics or {}).items():
        table = append_metric(table, column, metric)
    return table.replace_schema_metadata(known.metadata) if known and known.metadata else table


def table_space(graphs: pa.Table, *, allow_code: bool = False) -> Space:
    """Return the search space of a table: a known one, or the one that its metadata define.

    Args:
        graphs: rows of the `graphs` contract.
        allow_code: allow imports of code that the metadata name.

    Raises:
        SnapError: the graphs belong to several spaces, or to an unknown one.
    """
    names = graphs["space"].unique().to_pylist()
    if len(names) != 1:
        raise SnapError(f"the graphs belong to {len(names)} search spaces; keep one")
    text = decode_metadata(graphs.schema).get(DEFINITION)
    if text is None:
        return find_space(names[0])
    return defined_space(text, f"definition of {names[0]}", allow_code=allow_code)


def check_architectures(table: pa.Table, source: str) -> None:
    """Refuse architectures that their search space does not have.

    Known spaces and the one that the metadata define must parse the native string. Unless the table
    holds views, the result must equal the graph.

    Args:
        table: a table of the `graphs` contract.
        source: name of the table for errors.

    Raises:
        SnapError: names the source and the row.
    """
    entries = decode_metadata(table.schema)
    known = dict(spaces())
    if DEFINITION in entries:
        own = defined_space(entries[DEFINITION], source)
        known[own.name] = own
    names, arch_ids = (table[column].to_pylist() for column in ("space", "arch_id"))
    cells = Graphs.from_table(table).cells()
    for row, (name, arch_id, cell) in enumerate(zip(names, arch_ids, cells, strict=True), start=1):
        if name not in known:
            continue
        try:
            expected = known[name].parse(arch_id)
        except SnapError as error:
            raise SnapError(f"{source}: row {row}: {error}") from error
        if _VIEWS not in entries and expected != cell:
            raise SnapError(
                f"{source}: row {row}: nodes and edges do not match {arch_id!r:.80}; "
                "convert the architecture again"
            )


def structure_columns(graphs: Graphs) -> dict[str, pa.Array]:
    """Return the columns of the `graphs` contract that depend on the graphs alone."""
    facts = structure(graphs)
    return {
        "cell_hash": pa.array(facts.cell_hash, pa.string()),
        "n_dead": pa.array(facts.n_dead, pa.int16()),
        "depth": pa.array(facts.depth, pa.int16()),
        "n_paths": pa.array(facts.n_paths, pa.int32()),
    }


def append_metric(table: pa.Table, column: str, metric: Metric) -> pa.Table:
    """Add a metric column, with its direction and unit in the field's metadata."""
    entries = {"direction": metric.direction, "unit": metric.unit}
    field = pa.field(column, pa.float64(), metadata=entries)
    return table.append_column(field, pa.array(metric.values, from_pandas=True))


def metric_of(table: pa.Table, column: str) -> Metric:
    """Return a metric column that `append_metric` added to a table."""
    unit: bytes = table.schema.field(column).metadata[b"unit"]
    direction = direction_of(table.schema, column) or "max"
    return Metric(table[column].to_numpy(), direction, unit.decode())


def architectures(
    space: str, arch_ids: Sequence[str], graphs: Sequence[tuple[Sequence[str], Edges]]
) -> pa.Table:
    """Build a table of the columns that identify architectures, and of their graphs.

    Args:
        space: the search space.
        arch_ids: one per graph.
        graphs: nodes and edges of each.

    Raises:
        SnapError: a graph has too many nodes.
    """
    for arch_id, (nodes, _) in zip(arch_ids, graphs, strict=True):
        if len(nodes) > MOST_NODES:
            raise SnapError(
                f"{arch_id!r:.80}: {len(nodes):,} nodes are more than the {MOST_NODES:,} that a "
                "graph may have; remove it"
            )
    ends = pa.list_(pa.int16())
    return pa.table(
        {
            "space": pa.array([space] * len(graphs), pa.string()),
            "arch_id": pa.array(arch_ids, pa.string()),
            "nodes": pa.array([nodes for nodes, _ in graphs], pa.list_(pa.string())),
            "src": pa.array([[src for src, _ in edges] for _, edges in graphs], ends),
            "dst": pa.array([[dst for _, dst in edges] for _, edges in graphs], ends),
        }
    )


def with_columns(table: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """Append columns to a table."""
    for column, values in columns.items():
        table = table.append_column(column, values)
    return table


def node_columns(facts: NodeFacts) -> dict[str, pa.Array]:
    """Return the columns with one entry per node; costs that are not counted have none."""
    columns = {"node_shape": pa.array(facts.shapes, pa.list_(pa.list_(pa.int32())))}
    if facts.params is not None:
        columns["node_params"] = pa.array(facts.params, pa.list_(pa.int64()))
        columns["node_flops"] = pa.array(facts.flops, pa.list_(pa.int64()))
    return columns


def cost_columns(costs: Costs | None, n: int) -> dict[str, pa.Array]:
    """Return the columns of the costs of n networks, null if these are unknown."""
    if costs is None:
        return {column: pa.nulls(n, pa.int64()) for column in Costs._fields}
    return {column: pa.array(values, pa.int64()) for column, values in costs._asdict().items()}
