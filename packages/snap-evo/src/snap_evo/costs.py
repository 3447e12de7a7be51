"""Costs of the networks around cells, at the size that a search is for."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
from snap_catalog import SnapError
from snap_graphs import Cell, Graphs, Space, graph_table
from snap_graphs.spaces.darts import Darts, network_costs
from snap_graphs.torch.build.size import Size

NETWORKS: Mapping[str, Size] = {"imagenet": Size(14, 48, 1000, 224)}
"""By name sizes other than the benchmark's own. `imagenet` is the network of the mobile setting."""


def check_network(space: str, network: str | None) -> None:
    """Check that a network is known for the cells of a space.

    Raises:
        SnapError: it is unknown.
    """
    if network is None:
        return
    if network not in NETWORKS:
        raise SnapError(f"unknown network {network!r}; known are {', '.join(NETWORKS)}")
    if space != Darts.name:
        raise SnapError(
            f"the network {network!r} has cells of {Darts.name}, not of {space}; leave --network "
            "out to count the costs of the network that the space's benchmark trains"
        )


def cell_graphs(space: str | Space, network: str | None, cells: Sequence[Cell]) -> pa.Table:
    """Return cells as rows of the `graphs` contract.

    Args:
        space: the search space, or its name.
        network: the network whose costs count; the benchmark's own if None.
        cells: the cells.
    """
    table = graph_table(space, cells)
    if network is None:
        return table
    counted = network_costs(Graphs.from_table(table), **NETWORKS[network]._asdict())
    for name, values in counted._asdict().items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    return table
