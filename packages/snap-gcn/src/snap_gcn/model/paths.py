"""Predict a cell's accuracy from the paths through it, by a linear model of four statistics."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError
from snap_graphs import Graphs
from snap_graphs.arrays import Ints
from snap_graphs.structure import MOST_PATHS
from snap_graphs.waves import waves

from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.recipe import View
from snap_gcn.reliability.shape import NUMBERS, extent, shape_distance

Floats = npt.NDArray[np.float64]

VIEWS: tuple[View, ...] = ("prune", "show_implicit")
"""Through which the model sees graphs."""
KINDS: Mapping[str, tuple[str, str]] = {
    "spatial": ("nb101", "conv3x3-bn-relu"),
    "pointwise": ("nb101", "conv1x1-bn-relu"),
    "pooling": ("nb101", "maxpool3x3"),
    "identity": ("nb101", "skip_connect"),
}
"""Kinds of operators, and the training space's example of each."""
STATISTICS = ("pointwise", "spatial", "shortest", "paths")
"""See `statistics`."""
REACH = 3.0
"""How fast the model counts for less outside the shapes it was fitted to."""
_GRID = 2.0**36
SHARPNESS = 20.0
"""Of the choice between kinds: cosines that differ by 0.1 give odds of 7 to 1."""


def kinds(vectors: npt.NDArray[np.float32], examples: npt.NDArray[np.float32]) -> Floats:
    """Return what kind operators are of, by the likeness of their descriptions.

    Args:
        vectors: (operators, d) embeddings.
        examples: (kinds, d) embeddings of the example of each kind.

    Returns:
        (operators, kinds) shares that add up to 1: the softmax of the cosines.
    """
    odds = np.exp(SHARPNESS * (unit(vectors) @ unit(examples).T))
    return _on_grid(odds / odds.sum(axis=1, keepdims=True))


def _on_grid(values: Floats) -> Floats:
    """Round to multiples of 2^-36: sums of these are exact, whatever the order of the nodes."""
    rounded: Floats = np.round(values * _GRID) / _GRID
    return rounded


def unit(vectors: npt.NDArray[np.float32]) -> Floats:
    """Return (n, d) vectors scaled to length 1."""
    exact = vectors.astype(np.float64)
    scaled: Floats = exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12)
    return scaled


def statistics(graphs: Graphs, op: Ints, shares: Floats) -> Floats:
    """Describe the paths from the inputs of cells to their outputs.

    Args:
        graphs: n graphs without dead operators.
        op: (nodes,) rows of `shares`.
        shares: (operators, kinds) what kind each is of, as `kinds` returns.

    Returns:
        (n, 4): pointwise convolutions in the cell; the logarithm of one plus the spatial
        convolutions on a path, by the mean (of the means over the edges into each node);
        convolutions on the path that has fewest; and the logarithm of the number of paths, of at
        least one.
    """
    outputs = graphs.node_start[1:] - 1
    inner = np.bincount(graphs.edges()[2], minlength=len(graphs.op)) > 0
    inner[outputs] = False
    spatial, pointwise = (shares[op, kind] * inner for kind in range(2))
    fewest, mean = spatial + pointwise, spatial.copy()
    paths = np.array(~inner, np.float64)
    paths[outputs] = 0
    for nodes, sources, starts in waves(graphs):
        fewest[nodes] += np.minimum.reduceat(fewest[sources], starts)
        total = np.add.reduceat(mean[sources], starts)
        mean[nodes] += _on_grid(total / np.diff(starts, append=len(sources)))
        met = paths[nodes] + np.add.reduceat(paths[sources], starts)
        paths[nodes] = np.minimum(met, MOST_PATHS)
    whole = np.add.reduceat(pointwise, graphs.node_start[:-1]) if len(graphs) else fewest[outputs]
    number = np.log(np.maximum(paths[outputs], 1))
    return np.stack([whole, np.log1p(mean[outputs]), fewest[outputs], number], axis=1)


def _rows_of_examples(vocabulary: Vocabulary) -> list[int]:
    missing = [name for space, name in KINDS.values() if (space, name) not in vocabulary.rows]
    if missing:
        raise SnapError(
            f"operators: no vector for {', '.join(missing)} of space nb101, examples of kinds of "
            "operators; add what `snap-encode --space nb101` writes, or choose another --preset"
        )
    return [vocabulary.rows[key] for key in KINDS.values()]


class PathModel(NamedTuple):
    """A linear model of the statistics of paths, for graphs of the shapes it was fitted to.

    Outside those shapes it says the less, the stranger a graph is: what is linear between cells of
    up to seven vertices is not so far beyond.

    Attributes:
        weights: (4,) of the statistics.
        bias: what is added.
        examples: (kinds, d) embeddings of the example of each kind.
        shapes: the least and the most of each number of `snap_gcn.reliability.shape.shapes`.
    """

    weights: Floats
    bias: float
    examples: npt.NDArray[np.float32]
    shapes: Mapping[str, Sequence[int]]

    @classmethod
    def fit(cls, graphs: Graphs, op: Ints, vocabulary: Vocabulary, targets: Floats) -> "PathModel":
        """Fit the least squares of (n,) targets, given n graphs and the rows of their operators.

        Raises:
            SnapError: an example of a kind has no vector.
        """
        examples = vocabulary.vectors[_rows_of_examples(vocabulary)]
        found = statistics(graphs, op, kinds(vocabulary.vectors, examples))
        design = np.column_stack([found, np.ones(len(found))])
        *weights, bias = np.linalg.lstsq(design, targets, rcond=None)[0]
        return cls(np.array(weights), float(bias), examples, extent(graphs))

    def score(self, graphs: Graphs, found: Floats) -> Floats:
        """Return (n,) scores of n graphs, given their (n, 4) `statistics`."""
        scores = np.full(len(found), self.bias)
        for weight, values in zip(self.weights, found.T, strict=True):
            scores += weight * values
        return scores * np.exp(-REACH * shape_distance(graphs, self.shapes))

    def tensors(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return what `from_tensors` takes."""
        return {
            "weights": self.weights,
            "bias": np.array([self.bias]),
            "examples": self.examples,
        } | {f"shapes.{name}": np.array(ends) for name, ends in self.shapes.items()}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, npt.NDArray[np.generic]], dimensions: int, source: str
    ) -> "PathModel":
        """Return the model that `tensors` was called of.

        Args:
            tensors: by name.
            dimensions: d of the operators' vectors.
            source: the file's name, for an error.

        Raises:
            SnapError: a tensor is missing, has another shape, or is not finite.
        """
        expected = {
            "weights": (len(STATISTICS),),
            "bias": (1,),
            "examples": (len(KINDS), dimensions),
        } | {f"shapes.{name}": (2,) for name in NUMBERS}
        for name, shape in expected.items():
            tensor = tensors.get(name)
            kind = np.integer if name.startswith("shapes.") else np.floating
            if (
                tensor is None
                or tensor.shape != shape
                or not np.issubdtype(tensor.dtype, kind)
                or not np.isfinite(tensor).all()
            ):
                raise SnapError(
                    f"{source}: paths.{name} is not {shape} finite {kind.__name__} numbers; "
                    "get or train the model again"
                )
        weights, examples = tensors["weights"].astype(np.float64), tensors["examples"]
        shapes = {name: tensors[f"shapes.{name}"].tolist() for name in NUMBERS}
        return cls(weights, float(tensors["bias"][0]), examples.astype(np.float32), shapes)
