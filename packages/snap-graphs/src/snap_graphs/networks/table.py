"""Build tables of the `graphs` contract from networks."""

import json
from collections.abc import Iterable, Sequence

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.errors import excerpt
from snap_catalog.rules import MOST_NODES

from snap_graphs.arrays import Graphs
from snap_graphs.networks.assembly import Network
from snap_graphs.spaces import spaces
from snap_graphs.table import structure_columns

_LARGEST_COUNT = 2**63 - 1


def network_table(space: str, names: Sequence[str], networks: Sequence[Network]) -> pa.Table:
    """Build a table of the `graphs` contract.

    Args:
        space: the search space to record.
        names: names of the networks, which become `arch_id`.
        networks: one per name.

    Returns:
        One row a network, with shape, parameters and multiply-adds of every node; the metadata
        describe the operators.

    Raises:
        SnapError: the space is a known space, or a network is too large for a file.
    """
    check_space(space)
    for name, network in zip(names, networks, strict=True):
        _check(name, network)
    graphs = pa.table(
        {
            "space": pa.array([space] * len(names), pa.string()),
            "arch_id": pa.array(names, pa.string()),
            "nodes": _column((n.nodes for n in networks), pa.list_(pa.string())),
            "src": _column(([s for s, _ in n.edges] for n in networks), pa.list_(pa.int16())),
            "dst": _column(([d for _, d in n.edges] for n in networks), pa.list_(pa.int16())),
        }
    )
    shapes = pa.list_(pa.list_(pa.int32()))
    columns = {
        **structure_columns(Graphs.from_table(graphs)),
        "params": _column((sum(n.params) for n in networks), pa.int64()),
        "flops": _column((sum(n.flops) for n in networks), pa.int64()),
        "activations": _column((n.activations for n in networks), pa.int64()),
        "node_shape": _column((n.shapes for n in networks), shapes),
        "node_params": _column((n.params for n in networks), pa.list_(pa.int64())),
        "node_flops": _column((n.flops for n in networks), pa.list_(pa.int64())),
    }
    for column, values in columns.items():
        graphs = graphs.append_column(column, values)
    return graphs.replace_schema_metadata({"snap.operators": _descriptions(networks)})


def check_space(space: str) -> None:
    """Refuse a known search space of cells, or an unprintable name, as the space of networks.

    Raises:
        SnapError: the space is known, or its name cannot be printed.
    """
    if not space.isprintable():
        raise SnapError(f"space {excerpt(space)}: give a printable name with --space")
    if space in spaces():
        raise SnapError(f"{space} is the name of a known search space; give another with --space")


def _column(values: Iterable[object], kind: pa.DataType) -> pa.Array:
    return pa.array(list(values), kind)


def _descriptions(networks: Sequence[Network]) -> str:
    merged: dict[str, str] = {}
    for network in networks:
        merged |= network.descriptions
    return json.dumps(dict(sorted(merged.items())))


def _check(name: str, network: Network) -> None:
    if len(network.nodes) > MOST_NODES:
        raise SnapError(
            f"{name}: {len(network.nodes):,} operators are more than the {MOST_NODES:,} of a graph;"
            " remove it"
        )
    counts = (sum(network.params), sum(network.flops), network.activations)
    if max(counts) > _LARGEST_COUNT:
        raise SnapError(f"{name}: its costs exceed 64 bits; remove it")
    if any(side > 2**31 - 1 for shape in network.shapes for side in shape):
        raise SnapError(f"{name}: a side of a shape exceeds 32 bits; remove it")
