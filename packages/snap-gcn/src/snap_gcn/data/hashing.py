"""Hashes of networks that compute the same, and of the contents of table rows."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_graphs import Graphs
from snap_graphs.arrays import Ints
from snap_graphs.hashing import mix

from snap_gcn.data.arrays import per_graph

Keys = npt.NDArray[np.uint64]


def network_keys(graphs: Graphs, op: Ints, rounds: int) -> Keys:
    """Hash what a network with a number of layers can distinguish in each graph.

    Uses colour refinement (Weisfeiler and Leman 1968) in both edge directions. A network scores two
    graphs equally if colour refinement does not distinguish them in as many rounds as the network
    has layers (Xu et al. 2019, lemma 2). Isomorphic graphs always share a key; two other graphs
    share one with a probability of about 2^-64.

    Returns (n,) keys of n graphs, given (nodes,) rows of the operators' vectors and the number of
    layers as `rounds`.
    """
    _, src, dst = graphs.edges()
    colours = mix(op.astype(np.uint64))
    for _ in range(rounds):
        into, out_of = np.zeros_like(colours), np.zeros_like(colours)
        np.add.at(into, dst, mix(colours + np.uint64(1))[src])
        np.add.at(out_of, src, mix(colours + np.uint64(2))[dst])
        colours = mix(colours * np.uint64(3) + mix(into) + mix(out_of) * np.uint64(5))
    return mix(per_graph(graphs, mix(colours)) ^ mix(colours[graphs.node_start[1:] - 1]))


def combined(parts: Sequence[Keys]) -> Keys:
    """Combine several keys per element into one: equal if all parts are equal."""
    total = np.zeros_like(parts[0])
    for part in parts:
        total = mix(total * np.uint64(3) + part)
    return total


def row_keys(table: pa.Table, columns: Sequence[str]) -> list[int]:
    """Hash the contents of n rows in some columns; missing columns are skipped.

    Keys are comparable within one process only. Two different rows share one with a probability of
    about 2^-64.
    """
    present = [name for name in columns if name in table.column_names]
    rows = zip(*(table[name].to_pylist() for name in present), strict=True)
    return [hash(repr((len(present), row))) for row in rows]
