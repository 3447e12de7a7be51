"""Array helpers that several modules share."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from snap_graphs import Graphs
from snap_graphs.arrays import Ints

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
_Scalar = TypeVar("_Scalar", bound=np.generic)


def per_graph(
    graphs: Graphs, values: npt.NDArray[_Scalar], combine: np.ufunc = np.add
) -> npt.NDArray[_Scalar]:
    """Reduce (nodes, ...) values over the nodes of each of n graphs: (n, ...)."""
    if not len(graphs):
        return values[:0]
    reduced: npt.NDArray[_Scalar] = combine.reduceat(values, graphs.node_start[:-1])
    return reduced


def evenly_spaced(count: int, most: int) -> Ints:
    """Return up to `most` of the row numbers below `count`, evenly spaced."""
    return np.arange(0, count, max(1, -(-count // most)))


def unit(vectors: Singles) -> Floats:
    """Scale (n, d) vectors to length 1, in double precision."""
    exact = vectors.astype(np.float64)
    scaled: Floats = exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12)
    return scaled
