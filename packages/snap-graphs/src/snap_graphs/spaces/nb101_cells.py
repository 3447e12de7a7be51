"""List the cells of NAS-Bench-101, one of every isomorphism class."""

import itertools
from collections.abc import Iterator

import numpy as np

from snap_graphs.arrays import Bools, Graphs, Ints
from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.structure import structure


def distinct_cells(
    operators: tuple[str, ...], most_vertices: int, most_edges: int
) -> Iterator[Cell]:
    """Yield one cell of every isomorphism class, all of whose vertices lie on a path.

    Isomorphic matrices without operators are removed first, as there are few; every cell is a
    labelling of a remaining matrix. The order of the matrices is that of the benchmark's generator,
    so that each class is represented by the same cell.

    Args:
        operators: operators of the interior vertices.
        most_vertices: number of vertices of the largest cells, input and output included.
        most_edges: maximum number of edges.
    """
    vocabulary = (*operators, INPUT, OUTPUT)
    for size in range(2, most_vertices + 1):
        matrices = _connected(size, most_edges)
        plain = _labelled(np.zeros((1, size - 2), np.int64), len(matrices), len(operators))
        shapes = matrices[_first(Graphs.from_dense(vocabulary, plain, matrices))]
        choices = list(itertools.product(range(len(operators)), repeat=size - 2))
        labels = np.array(choices, np.int64).reshape(len(choices), size - 2)
        graphs = Graphs.from_dense(
            vocabulary,
            _labelled(labels, len(shapes), len(operators)),
            np.repeat(shapes, len(labels), axis=0),
        )
        cells = graphs.cells()
        yield from itertools.compress(cells, np.isin(np.arange(len(graphs)), _first(graphs)))


def _connected(size: int, most_edges: int) -> Bools:
    """Return (m, size, size) all upper triangles in which every vertex lies on a path.

    In topological order, every vertex but the first then has an incoming edge, and every vertex but
    the last an outgoing edge.
    """
    places = [(src, dst) for dst in range(size) for src in range(dst)]
    numbers = np.arange(2 ** len(places), dtype=np.int64)
    numbers = numbers[sum((numbers >> bit) & 1 for bit in range(len(places))) <= most_edges]
    matrices = np.zeros((len(numbers), size, size), np.bool_)
    for bit, (src, dst) in enumerate(places):
        matrices[:, src, dst] = (numbers >> bit) & 1
    fewest_in = matrices.sum(axis=1)[:, 1:].min(axis=1)
    fewest_out = matrices.sum(axis=2)[:, :-1].min(axis=1)
    connected: Bools = matrices[(fewest_in > 0) & (fewest_out > 0)]
    return connected


def _labelled(labels: Ints, repeats: int, ends: int) -> Ints:
    """Put input and output around (k, size - 2) labels and repeat them all."""
    first, last = (np.full((len(labels), 1), ends + i) for i in (0, 1))
    return np.tile(np.hstack([first, labels, last]), (repeats, 1))


def _first(graphs: Graphs) -> Ints:
    """Return the position of the first graph of every isomorphism class, in ascending order."""
    first = np.unique(structure(graphs).cell_hash, return_index=True)[1]
    positions: Ints = np.sort(first)
    return positions
