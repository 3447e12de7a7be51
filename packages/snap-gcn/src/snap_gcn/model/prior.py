"""Predict a network's accuracy from its size, by a formula with round constants.

The logarithm of the activations leads, as they order whole networks better than any other cost
(Radosavovic et al., "Designing Network Design Spaces", CVPR 2020, section 3.1, found that they
predict run time best; for accuracy see docs/research.md). Three terms are added:

    log sum(min(a, 10 p)) + (log flops - log params + log pixels) / 4 + s / 2

- a, p: activations and parameters of each node. Activations count up to ten a parameter: a node
  with few parameters, as a depthwise convolution of a large map, does not make them distinct.
- flops / params: the mean number of positions at which a parameter is used, and pixels, those of
  the input: two networks of equal activations differ in how soon they give up resolution.
- s: the share of smooth activation functions (GELU, SiLU, ...) among all (ReLU, ...), which train
  to higher accuracy at no cost (Ramachandran et al., "Searching for Activation Functions", 2017).

No constant was fitted to a label. Form and constants were chosen on benchmarks of role `develop`.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from snap_graphs import Graphs
from snap_graphs.arrays import Bools
from snap_graphs.cell import INPUT
from snap_graphs.hashing import mix

from snap_gcn.data.equality import Keys, combined

Floats = npt.NDArray[np.float64]

COSTS = ("params", "flops", "activations")
NODE_COSTS = ("node_shape", "node_params", "node_flops")
COLUMNS = (*COSTS, *NODE_COSTS)
"""What is read of a `graphs` file; any of them may be missing or null."""

_A_PARAMETER = 10.0
"""Activations of a node that count, for each of its parameters."""
_RESOLUTION, _SMOOTH = 0.25, 0.5
"""Weights of the terms."""
_AN_ACTIVATION, _USES, _PIXELS, _SHARE = 300.0, 256.0, 224.0**2, 0.5
"""What is assumed where it is unknown: multiply-adds an activation, uses of a parameter, pixels of
the input, and the share of smooth activation functions."""
_CENTRE, _SCALE = 18.5, 0.5
"""Of the score: NAS-Bench-101's networks have mean 0 and deviation 1, as its cells have."""
_SMOOTH_WORDS = re.compile(r"(?<![a-z])(gelu|silu|h?swish|mish|[cs]?elu|softplus)(?![a-z])")
_OTHER_WORDS = re.compile(r"(?<![a-z])([lp]?relu6?)(?![a-z])")


class Sizes(NamedTuple):
    """How large n networks are.

    Attributes:
        activations: (n,) those that count; NaN where neither they nor the multiply-adds are known.
        uses: (n,) of a parameter, on average.
        pixels: (n,) of the largest input.
        smooth: (n,) share of smooth activation functions.
    """

    activations: Floats
    uses: Floats
    pixels: Floats
    smooth: Floats

    def score(self) -> Floats:
        """Return (n,) scores; NaN where the costs are not known."""
        size = np.log(np.maximum(self.activations, 1))
        resolution = np.log(self.uses) + np.log(self.pixels)
        total = size + _RESOLUTION * resolution + _SMOOTH * self.smooth
        scores: Floats = (total - _CENTRE) / _SCALE
        return scores

    def keys(self) -> Keys:
        """Return (n,) keys that networks of one size share."""
        return combined([mix(np.ascontiguousarray(values).view(np.uint64)) for values in self])


def sizes(table: pa.Table, graphs: Graphs, texts: Mapping[str, str]) -> Sizes:
    """Read how large networks are.

    Args:
        table: n rows of the `graphs` contract, with those of `COLUMNS` that there are.
        graphs: the rows' graphs.
        texts: descriptions of operators, as far as there are any.
    """
    params, flops = _numbers(table, "params"), _numbers(table, "flops")
    nodes = _Nodes.of(table, graphs)
    uses = np.where(np.isnan(flops + params), _USES, flops / np.maximum(params, 1))
    return Sizes(
        activations=nodes.counted(_activations(table)),
        uses=np.maximum(uses, 1),
        pixels=nodes.pixels(),
        smooth=_smooth(graphs, texts),
    )


def known(table: pa.Table) -> Bools:
    """Return (n,) of which rows of the `graphs` contract enough is known for a score."""
    found: Bools = ~np.isnan(_activations(table))
    return found


def _activations(table: pa.Table) -> Floats:
    """Return (n,) activations, guessed from the multiply-adds where only these are known."""
    flops, activations = _numbers(table, "flops"), _numbers(table, "activations")
    return np.where(np.isnan(activations), np.rint(flops / _AN_ACTIVATION), activations)


def _numbers(table: pa.Table, name: str) -> Floats:
    """Return a column as (n,) numbers, NaN where they are null or the column is missing."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values: Floats = table[name].cast(pa.float64(), safe=False).to_numpy()
    return values


class _Nodes(NamedTuple):
    """What the nodes of graphs cost; 0 where it is unknown.

    Attributes:
        graphs: the graphs.
        elements: (nodes,) that each node puts out.
        channels: (nodes,) the first side of what it puts out, where that has several sides.
        params: (nodes,) its parameters.
        flops: (nodes,) its multiply-adds.
    """

    graphs: Graphs
    elements: Floats
    channels: Floats
    params: Floats
    flops: Floats

    @classmethod
    def of(cls, table: pa.Table, graphs: Graphs) -> "_Nodes":
        """Read the columns of `NODE_COSTS`."""
        elements, channels = _shapes(table, graphs)
        params, flops = (_per_node(table, graphs, name) for name in NODE_COSTS[1:])
        return cls(graphs, elements, channels, params, flops)

    def counted(self, activations: Floats) -> Floats:
        """Return (n,) the activations that count, given (n,) all of them.

        They are divided among the nodes that compute as the elements are that those put out.
        """
        elements = self.elements * (self.flops > 0)
        total = self._sums(elements)
        each = np.repeat(activations / np.maximum(total, 1), self.graphs.sizes) * elements
        most = np.where(self.params > 0, _A_PARAMETER * self.params, np.inf)
        # Sums of whole numbers are exact, whatever the order of the nodes.
        counted = self._sums(np.rint(np.minimum(each, most)))
        return np.where(total > 0, counted, activations)

    def pixels(self) -> Floats:
        """Return (n,) the positions of the largest input."""
        inputs = self.graphs.op == self.graphs.index(INPUT)
        positions = np.where(inputs, self.elements / np.maximum(self.channels, 1), 0)
        most = (
            np.maximum.reduceat(positions, self.graphs.node_start[:-1])
            if len(self.graphs)
            else positions
        )
        return np.where(most > 0, most, _PIXELS)

    def _sums(self, values: Floats) -> Floats:
        if not len(self.graphs):
            return values
        sums: Floats = np.add.reduceat(values, self.graphs.node_start[:-1])
        return sums


def _per_node(table: pa.Table, graphs: Graphs, name: str) -> Floats:
    """Return (nodes,) the numbers of a column of lists, 0 for the nodes of rows that have none."""
    values = np.zeros(len(graphs.op))
    if name in table.column_names:
        listed = np.repeat(table[name].is_valid().to_numpy(), graphs.sizes)
        values[listed] = pc.list_flatten(table[name]).cast(pa.float64(), safe=False).to_numpy()
    return np.nan_to_num(values)


def _shapes(table: pa.Table, graphs: Graphs) -> tuple[Floats, Floats]:
    """Return (nodes,) the elements and the first side of what nodes put out."""
    elements, channels = np.zeros(len(graphs.op)), np.ones(len(graphs.op))
    if NODE_COSTS[0] not in table.column_names:
        return elements, channels
    column = table[NODE_COSTS[0]]
    shapes = pc.list_flatten(column).combine_chunks()
    lengths = pc.list_value_length(shapes).fill_null(0).to_numpy()
    sides = shapes.flatten().cast(pa.float64()).to_numpy()
    listed = np.flatnonzero(np.repeat(column.is_valid().to_numpy(), graphs.sizes))
    first = (np.cumsum(lengths) - lengths)[lengths > 0]
    if first.size:
        elements[listed[lengths > 0]] = np.multiply.reduceat(sides, first)
        several = lengths > 1
        channels[listed[several]] = sides[(np.cumsum(lengths) - lengths)[several]]
    return elements, channels


def _smooth(graphs: Graphs, texts: Mapping[str, str]) -> Floats:
    """Return (n,) the share of smooth ones among the activation functions that operators name."""
    words = [
        f"{name} {texts.get(name, '')}".lower().replace("-swish", "swish")
        for name in graphs.vocabulary
    ]
    smooth, other = (
        np.array([bool(kind.search(word)) for word in words], np.int64)[graphs.op]
        for kind in (_SMOOTH_WORDS, _OTHER_WORDS)
    )
    if not len(graphs):
        return np.empty(0)
    found, others = (np.add.reduceat(kind, graphs.node_start[:-1]) for kind in (smooth, other))
    named = found + others
    return np.where(named > 0, found / np.maximum(named, 1), _SHARE)
