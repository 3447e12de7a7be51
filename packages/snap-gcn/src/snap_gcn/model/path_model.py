"""Predict a cell's accuracy from the paths through it, by a linear model of four statistics."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError
from snap_graphs import Graphs
from snap_graphs.arrays import Ints
from snap_graphs.structure import MOST_PATHS
from snap_graphs.traversal import waves

from snap_gcn.data.arrays import Floats, Singles, per_graph, unit
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.folder import checked_tensors
from snap_gcn.model.recipe import View
from snap_gcn.reliability.shape import NUMBERS, extent, shape_distance

VIEWS: tuple[View, ...] = ("prune", "show_implicit")
"""The views that are applied to graphs before their statistics are taken."""
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
"""Rate at which the model's contribution decays outside the shapes it was fitted to."""
SHARPNESS = 20.0
"""Inverse temperature of the softmax over kinds: cosines 0.1 apart give odds of 7 to 1."""
_GRID = 2.0**36


def kinds(vectors: Singles, examples: Singles) -> Floats:
    """Classify operators by the similarity of their descriptions to an example of each kind.

    Given (operators, d) and (kinds, d) embeddings, returns (operators, kinds) shares that add up to
    1: the softmax of the cosines.
    """
    odds = np.exp(SHARPNESS * (unit(vectors) @ unit(examples).T))
    return _on_grid(odds / odds.sum(axis=1, keepdims=True))


def _on_grid(values: Floats) -> Floats:
    """Round to multiples of 2^-36, whose sums are exact in any order of the nodes."""
    rounded: Floats = np.round(values * _GRID) / _GRID
    return rounded


def statistics(graphs: Graphs, op: Ints, shares: Floats) -> Floats:
    """Compute statistics of the paths from the inputs of n cells to their outputs.

    Graphs have no dead operators; (nodes,) `op` has rows of the (operators, kinds) `shares`, from
    `kinds`.

    Returns:
        (n, 4): pointwise convolutions in the cell; log(1 + spatial convolutions on the mean path),
        where each node takes the mean over its incoming edges; convolutions on the path with the
        fewest; and log(max(1, number of paths)).
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
    number = np.log(np.maximum(paths[outputs], 1))
    columns = [per_graph(graphs, pointwise), np.log1p(mean[outputs]), fewest[outputs], number]
    return np.stack(columns, axis=1)


class PathModel(NamedTuple):
    """A linear model of the statistics of paths.

    Its scores decay with a graph's distance in shape from the graphs it was fitted to, because the
    relation is linear among cells of up to seven vertices, but not far beyond.

    Attributes:
        weights: (4,) of the statistics.
        bias: the intercept.
        examples: (kinds, d) embeddings of the example of each kind.
        shapes: `snap_gcn.reliability.shape.extent` of the graphs it was fitted to.
    """

    weights: Floats
    bias: float
    examples: Singles
    shapes: Mapping[str, Sequence[int]]

    @classmethod
    def fit(cls, graphs: Graphs, op: Ints, vocabulary: Vocabulary, targets: Floats) -> "PathModel":
        """Fit (n,) targets by least squares, given n graphs and the rows of their operators.

        Raises:
            SnapError: an example of a kind has no vector.
        """
        missing = [name for space, name in KINDS.values() if (space, name) not in vocabulary.rows]
        if missing:
            raise SnapError(
                f"operators: no vector for {', '.join(missing)} of space nb101, examples of kinds "
                "of operators; add what `snap-encode --space nb101` writes, or choose another "
                "--preset"
            )
        examples = vocabulary.vectors[[vocabulary.rows[key] for key in KINDS.values()]]
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
        """Return the model as tensors for `from_tensors`."""
        return {
            "weights": self.weights,
            "bias": np.array([self.bias]),
            "examples": self.examples,
        } | {f"shapes.{name}": np.array(ends) for name, ends in self.shapes.items()}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, npt.NDArray[np.generic]], dimensions: int, source: str
    ) -> "PathModel":
        """Restore a model from its `tensors`, with vectors of d `dimensions`.

        Raises:
            SnapError: a tensor is missing, has another shape, or is not finite; `source` names the
                file.
        """
        expected = {
            "weights": (len(STATISTICS),),
            "bias": (1,),
            "examples": (len(KINDS), dimensions),
        } | {f"shapes.{name}": (2,) for name in NUMBERS}
        found = checked_tensors(tensors, expected, source, part="paths.")
        shapes = {name: found[f"shapes.{name}"].astype(np.int64).tolist() for name in NUMBERS}
        examples = found["examples"].astype(np.float32)
        return cls(found["weights"], float(found["bias"][0]), examples, shapes)
