"""Build tables of the `graphs` contract from networks."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.errors import excerpt

from snap_graphs.arrays import Graphs
from snap_graphs.networks.assembly import Network
from snap_graphs.spaces import spaces
from snap_graphs.spaces.base import Costs, NodeFacts
from snap_graphs.table import (
    architectures,
    cost_columns,
    node_columns,
    structure_columns,
    with_columns,
)

_LARGEST_COUNT = 2**63 - 1


def network_table(space: str, names: Sequence[str], networks: Sequence[Network]) -> pa.Table:
    """Build a table of the `graphs` contract.

    Args:
        space: the search space to record.
        names: names of the networks, which become `arch_id`.
        networks: one per name.

    Returns:
        One row per network, with shape, parameters and multiply-adds of every node; the metadata
        describe the operators.

    Raises:
        SnapError: the space is a known space, or a network is too large for a file.
    """
    check_space(space)
    for name, network in zip(names, networks, strict=True):
        _check(name, network)
    table = architectures(space, names, [(n.nodes, n.edges) for n in networks])
    costs = [(sum(n.params), sum(n.flops), n.activations) for n in networks]
    facts = NodeFacts(*([list(getattr(n, field)) for n in networks] for field in NodeFacts._fields))
    columns = {
        **structure_columns(Graphs.from_table(table)),
        **cost_columns(Costs(*np.array(costs, np.int64).reshape(-1, 3).T), len(networks)),
        **node_columns(facts),
    }
    described = {name: text for n in networks for name, text in n.descriptions.items()}
    metadata = {"snap.operators": json.dumps(described, sort_keys=True)}
    return with_columns(table, columns).replace_schema_metadata(metadata)


def check_space(space: str) -> None:
    """Refuse a known search space of cells, or an unprintable name, as the space of networks.

    Raises:
        SnapError: the space is known, or its name cannot be printed.
    """
    if not space.isprintable():
        raise SnapError(f"space {excerpt(space)}: give a printable name with --space")
    if space in spaces():
        raise SnapError(f"{space} is the name of a known search space; give another with --space")


def _check(name: str, network: Network) -> None:
    counts = (sum(network.params), sum(network.flops), network.activations)
    if max(counts) > _LARGEST_COUNT:
        raise SnapError(f"{name}: its costs exceed 64 bits; remove it")
    if any(side > 2**31 - 1 for shape in network.shapes for side in shape):
        raise SnapError(f"{name}: a side of a shape exceeds 32 bits; remove it")
