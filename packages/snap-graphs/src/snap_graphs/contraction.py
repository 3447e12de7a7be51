"""Contract identity operators of graphs into edges."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError
from snap_catalog.rules import MOST_NODES

from snap_graphs.arrays import Bools, Dense, Graphs, Ints

_AT_A_TIME = 4096
"""Graphs per batch of path count matrices."""
_MOST_DENSE = 128
"""Largest graphs for which a matrix of path counts is cheaper than a table of edges."""
_MOST_JOINED = 2**20
"""Maximum number of joined node pairs in a larger graph."""
SATURATED = MOST_NODES + 2
"""A number of parallel paths beyond the limit of a file."""

Contraction = tuple[Ints, Ints]
"""(3, edges) graphs, sources and targets of edges between nodes among all, parallel ones repeated,
and (k,) the identity operators that are gone."""


def contractions(
    graphs: Graphs, identity: Ints, concatenates: Bools, most: int = SATURATED
) -> Iterator[Contraction]:
    """Yield the edges of graphs after contracting identity operators, in batches.

    If an output concatenates, an identity with several inputs stays before it, to sum them.

    Args:
        graphs: b graphs.
        identity: (b,) each graph's identity operator.
        concatenates: (b,) whether the output, the last node, concatenates.
        most: cap on the number of parallel edges.

    Raises:
        SnapError: a graph would need more parallel edges than a file can hold.
    """
    for part in graphs.dense(_AT_A_TIME, _MOST_DENSE):
        skip = part.op == identity[part.rows, None]
        yield _of_small(graphs.node_start[part.rows], part, skip, concatenates[part.rows], most)
    for row in np.flatnonzero(graphs.sizes > _MOST_DENSE).tolist():
        graph = graphs.take(np.array([row]))
        skips = np.flatnonzero(graph.op == identity[row]).tolist()
        yield _of_large(
            int(graphs.node_start[row]), row, graph, skips, bool(concatenates[row]), most
        )


def _refuse_crowded(rows: Ints) -> None:
    if rows.size:
        raise SnapError(
            f"row {rows[0] + 1}: without skips the cell has more than {MOST_NODES:,} "
            "parallel edges; remove it from this view"
        )


def _of_small(first: Ints, part: Dense, skip: Bools, concatenates: Bools, most: int) -> Contraction:
    paths, gone = _contracted(part.adjacency, skip, concatenates, most)
    _refuse_crowded(part.rows[(paths - (paths > 0)).sum(axis=(1, 2)) > MOST_NODES])
    graph, src, dst = np.nonzero(paths)
    edges = np.array([part.rows[graph], first[graph] + src, first[graph] + dst])
    nodes = first[:, None] + np.arange(gone.shape[1])
    return edges.repeat(paths[graph, src, dst], axis=1), nodes[gone]


def _contracted(
    adjacency: Bools, skip: Bools, concatenates: Bools, most: int
) -> tuple[npt.NDArray[np.int32], Bools]:
    """Count the paths between nodes that lead through identity operators alone.

    Args:
        adjacency: (b, n, n) edges.
        skip: (b, n) which nodes are identity operators.
        concatenates: (b,) whether the output, the last node, concatenates.
        most: cap on numbers of paths.

    Returns:
        (b, n, n) numbers of paths, and (b, n) the identity operators that are gone.
    """
    paths = adjacency.astype(np.int32)
    gone = skip.copy()
    for node in range(1, paths.shape[1] - 1):
        leaving = paths[:, node].copy()
        sums = concatenates & (paths[:, :, node].sum(axis=1) > 1) & (leaving[:, -1] > 0)
        gone[:, node] &= ~sums
        leaving[skip[:, node] & sums, -1] = 0
        leaving[~skip[:, node]] = 0
        through = paths[:, :, node, None] * leaving[:, None, :]
        paths = np.minimum(paths + through, most)
        paths[:, node] = np.where(leaving > 0, 0, paths[:, node])
        paths[gone[:, node], :, node] = 0
    return paths, gone


def _of_large(
    first: int, row: int, graph: Graphs, skips: list[int], concatenates: bool, most: int
) -> Contraction:
    """Contract the identity operators of one graph, in topological order.

    Args:
        first: position of the graph's first node among all nodes.
        row: position of the graph among all graphs.
        graph: the graph.
        skips: its identity operators.
        concatenates: whether the last node is an output that concatenates.
        most: cap on numbers of paths.

    Raises:
        SnapError: too many pairs of nodes would be joined.
    """
    last, joined, gone = len(graph.op) - 1, len(graph.src), []
    # Numbers of paths through contracted nodes to the nodes that a node reaches, and its sources.
    after: list[dict[int, int]] = [{} for _ in graph.op]
    before: list[set[int]] = [set() for _ in graph.op]
    for src, dst in zip(graph.src.tolist(), graph.dst.tolist(), strict=True):
        after[src][dst] = 1
        before[dst].add(src)
    for node in skips:
        leaving, arriving = after[node], before[node]
        several = sum(after[src][node] for src in arriving) > 1
        stays = {last: leaving.pop(last)} if concatenates and several and last in leaving else {}
        joined += len(arriving) * len(leaving)
        if joined > _MOST_JOINED:
            raise SnapError(
                f"row {row + 1}: without skips the cell joins more than {_MOST_JOINED:,} pairs of "
                "nodes; remove it from this view"
            )
        for src in arriving:
            paths = after[src][node] if stays else after[src].pop(node)
            for dst, further in leaving.items():
                after[src][dst] = min(after[src].get(dst, 0) + paths * further, most)
                before[dst].add(src)
        for dst in leaving:
            before[dst].discard(node)
        after[node], before[node] = stays, arriving if stays else set()
        gone += [] if stays else [node]
    counted = [(src, dst, k) for src, ends in enumerate(after) for dst, k in ends.items()]
    sources, targets, number = np.array(counted, np.int64).reshape(-1, 3).T
    _refuse_crowded(np.array([row])[[(number - 1).sum() > MOST_NODES]])
    edges = np.array([np.full(len(sources), row), first + sources, first + targets])
    return edges.repeat(number, axis=1), first + np.array(gone, np.int64)
