"""How far graphs are like those that a predictor's members were trained on."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import graph_facts
from snap_graphs import Graphs
from snap_graphs.arrays import Bools

from snap_gcn.reliability.shape import shape_distance

_REACH = 3.0
"""How fast members count for less beyond cells."""
_LARGEST = 1.0
"""`shape_distance` up to which graphs are cells: about three times as large as in training."""
_LEAST = 0.01
"""Share below which members count nothing, and are not asked."""


def share_of_members(
    table: pa.Table, graphs: Graphs, known: Mapping[str, Sequence[int]]
) -> npt.NDArray[np.float64]:
    """Compute what the members of a predictor of cells count for.

    They learned cells. In full they count for cells as large as the largest of common benchmarks,
    for larger ones the less, the larger; for whole networks they count nothing.

    Args:
        table: n rows of the `graphs` contract.
        graphs: the rows' graphs.
        known: the extent of the graphs of training; see `snap_gcn.reliability.shape.extent`.

    Returns:
        (n,) shares from 0 to 1.
    """
    beyond = np.maximum(shape_distance(graphs, known) - _LARGEST, 0)
    share = np.where(whole(table), 0, np.exp(-_REACH * beyond))
    return np.where(share < _LEAST, 0, share)


def whole(table: pa.Table) -> Bools:
    """Return (n,) which graphs are whole networks: those of a space of such, or of known shapes."""
    spaces = table["space"].combine_chunks().dictionary_encode()
    declared = [graph_facts(space).whole for space in spaces.dictionary.to_pylist()]
    found: Bools = np.array(declared, np.bool_)[spaces.indices.to_numpy()]
    if "node_shape" in table.column_names:
        found = found | table["node_shape"].is_valid().to_numpy()
    return found
