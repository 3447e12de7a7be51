"""Keys that equal networks share, however their nodes are numbered."""

import numpy as np
import numpy.typing as npt
from snap_graphs import Graphs
from snap_graphs.arrays import Ints
from snap_graphs.hashing import mix

Keys = npt.NDArray[np.uint64]


def keys(graphs: Graphs, op: Ints, rounds: int) -> Keys:
    """Hash what a network of some layers can see of each graph.

    Colour refinement (Weisfeiler and Leman 1968) in both directions of the edges. Graphs that it
    does not distinguish in as many rounds as a network has layers get equal scores from it (Xu et
    al. 2019, lemma 2); isomorphic graphs always share a key. Two other graphs share one with a
    probability of about 2^-64.

    Args:
        graphs: n graphs.
        op: (nodes,) rows of the operators' vectors.
        rounds: layers of the network; more of them distinguish more graphs.

    Returns:
        (n,) keys.
    """
    if not len(graphs):
        return np.empty(0, np.uint64)
    first = graphs.node_start[:-1].repeat(np.diff(graphs.edge_start))
    src, dst = graphs.src + first, graphs.dst + first
    colours = mix(op.astype(np.uint64))
    for _ in range(rounds):
        into, out_of = np.zeros_like(colours), np.zeros_like(colours)
        np.add.at(into, dst, mix(colours + np.uint64(1))[src])
        np.add.at(out_of, src, mix(colours + np.uint64(2))[dst])
        colours = mix(colours * np.uint64(3) + mix(into) + mix(out_of) * np.uint64(5))
    sums = np.add.reduceat(mix(colours), graphs.node_start[:-1])
    return mix(sums ^ mix(colours[graphs.node_start[1:] - 1]))


def combined(parts: list[Keys]) -> Keys:
    """Return keys that are equal where the keys of all parts are."""
    total = np.zeros_like(parts[0])
    for part in parts:
        total = mix(total * np.uint64(3) + part)
    return total
