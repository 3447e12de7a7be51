"""Put cells and their metrics into a table of the `graphs` contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from snap_graphs.arrays import Graphs
from snap_graphs.cell import Cell
from snap_graphs.spaces import space
from snap_graphs.structure import structure


@dataclass(frozen=True)
class Metric:
    """A metric column.

    Attributes:
        values: (graphs,) one value an architecture; NaN where it was not measured.
        direction: whether more (`max`) or less (`min`) is better.
        unit: what the values are in, as `percent`.
    """

    values: npt.NDArray[np.float64]
    direction: Literal["max", "min"]
    unit: str


def graph_table(
    name: str,
    cells: Sequence[Cell],
    *,
    arch_ids: Sequence[str] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    module_hashes: Sequence[str] | None = None,
) -> pa.Table:
    """Build a table of the `graphs` contract, computing the columns that follow from the cells.

    Args:
        name: the search space.
        cells: one an architecture.
        arch_ids: their native strings; written by the space where None.
        metrics: metric columns by name.
        module_hashes: NAS-Bench-101's own hashes.

    Raises:
        SnapError: the space is unknown.
    """
    home = space(name)
    table = pa.table(
        {
            "space": pa.array([name] * len(cells), pa.string()),
            "arch_id": pa.array(arch_ids or [home.format(c) for c in cells], pa.string()),
            "nodes": pa.array([c.nodes for c in cells], pa.list_(pa.string())),
            "src": pa.array([[s for s, _ in c.edges] for c in cells], pa.list_(pa.int16())),
            "dst": pa.array([[d for _, d in c.edges] for c in cells], pa.list_(pa.int16())),
        }
    )
    graphs = Graphs.from_table(table)
    facts, costs = structure(graphs), home.costs(graphs)
    columns = {
        "cell_hash": pa.array(facts.cell_hash, pa.string()),
        "n_dead": pa.array(facts.n_dead, pa.int16()),
        "params": pa.array(costs.params, pa.int64()),
        "flops": pa.array(costs.flops, pa.int64()),
        "depth": pa.array(facts.depth, pa.int16()),
        "n_paths": pa.array(facts.n_paths, pa.int32()),
    }
    if module_hashes is not None:
        columns["module_hash"] = pa.array(module_hashes, pa.string())
    for column, values in columns.items():
        table = table.append_column(column, values)
    for column, metric in (metrics or {}).items():
        field = pa.field(
            column, pa.float64(), metadata={"direction": metric.direction, "unit": metric.unit}
        )
        table = table.append_column(field, pa.array(metric.values, from_pandas=True))
    return table
