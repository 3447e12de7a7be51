"""Predict a network's accuracy from its size, by a formula with round constants.

The formula starts from the logarithm of the activations, which orders whole networks better than
any other cost (Radosavovic et al., "Designing Network Design Spaces", CVPR 2020, section 3.1, found
that activations predict run time best; for accuracy see docs/research.md), and adds three terms:

    log sum(min(a, 10 p)) + (log flops - log params + log pixels) / 4 + s / 2

- a, p: activations and parameters of each node. At most ten activations per parameter count: a node
  with few parameters, like a depthwise convolution of a large map, does not make them distinct.
- flops / params: the mean number of positions at which a parameter is used; pixels: those of the
  input. Two networks with equal activations differ in how early they reduce the resolution.
- s: the share of smooth activation functions (GELU, SiLU, ...) among all (ReLU, ...). Smooth ones
  train to higher accuracy at no cost (Ramachandran et al., "Searching for Activation Functions",
  2017).

No constant was fitted to a label. Form and constants were chosen on benchmarks of role `develop`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import graph_facts
from snap_graphs import Graphs
from snap_graphs.arrays import Bools
from snap_graphs.cell import INPUT
from snap_graphs.hashing import mix

from snap_gcn.data.arrays import Floats, per_graph
from snap_gcn.data.hashing import Keys, combined
from snap_gcn.reliability.shape import shape_distance

COSTS = ("params", "flops", "activations")
NODE_COSTS = ("node_shape", "node_params", "node_flops")
COLUMNS = (*COSTS, *NODE_COSTS)
"""Columns of a `graphs` file that are read; any of them may be missing or null."""

_PER_PARAMETER = 10.0
"""Most activations of a node that count, per parameter."""
_RESOLUTION, _SMOOTH = 0.25, 0.5
"""Weights of the terms."""
_PER_ACTIVATION, _USES, _PIXELS, _SHARE = 300.0, 256.0, 224.0**2, 0.5
"""Defaults for unknown values: multiply-adds per activation, uses of a parameter, pixels of the
input, and the share of smooth activation functions."""
_CENTRE, _SCALE = 18.5, 0.5
"""Centre and scale of the score, so that NAS-Bench-101's networks have mean 0 and deviation 1."""
_SMOOTH_WORDS = re.compile(r"(?<![a-z])(gelu|silu|h?swish|mish|[cs]?elu|softplus)(?![a-z])")
_OTHER_WORDS = re.compile(r"(?<![a-z])([lp]?relu6?)(?![a-z])")

_REACH = 3.0
"""Rate at which the members' share decays for graphs larger than cells."""
_LARGEST = 1.0
"""`shape_distance` up to which graphs count as cells: about three times as large as in training."""
_LEAST = 0.01
"""Share below which the members are ignored, and not run."""


def share_of_members(
    table: pa.Table, graphs: Graphs, trained: Mapping[str, Sequence[int]]
) -> Floats:
    """Compute (n,) weights, 0 to 1, of the members, which learned cells, in the scores of n rows.

    The weight is 1 for cells up to the size of the largest common benchmarks, decays with the size
    of larger graphs, and is 0 for whole networks. `trained` is the
    `snap_gcn.reliability.shape.extent` of the training graphs.
    """
    spaces = table["space"].combine_chunks().dictionary_encode()
    declared = [graph_facts(space).whole for space in spaces.dictionary.to_pylist()]
    whole = np.array(declared, np.bool_)[spaces.indices.to_numpy()]
    if "node_shape" in table.column_names:
        whole = whole | table["node_shape"].is_valid().to_numpy()
    beyond = np.maximum(shape_distance(graphs, trained) - _LARGEST, 0)
    share = np.where(whole, 0, np.exp(-_REACH * beyond))
    return np.where(share < _LEAST, 0, share)


class Sizes(NamedTuple):
    """The sizes of n networks."""

    # (n,) those that count; NaN if neither they nor the multiply-adds are known
    activations: Floats
    uses: Floats  # (n,) mean number of positions at which a parameter is used
    pixels: Floats  # (n,) of the largest input
    smooth: Floats  # (n,) share of smooth activation functions

    def score(self) -> Floats:
        """Return (n,) scores; NaN if the costs are unknown."""
        size = np.log(np.maximum(self.activations, 1))
        resolution = np.log(self.uses) + np.log(self.pixels)
        total = size + _RESOLUTION * resolution + _SMOOTH * self.smooth
        scores: Floats = (total - _CENTRE) / _SCALE
        return scores

    def keys(self) -> Keys:
        """Return (n,) keys that networks of equal size share."""
        return combined([mix(np.ascontiguousarray(values).view(np.uint64)) for values in self])


def sizes(table: pa.Table, graphs: Graphs, texts: Mapping[str, str]) -> Sizes:
    """Compute the sizes of n rows of the `graphs` contract, given their graphs.

    `texts` are descriptions of operators by name, which may mention activation functions.
    """
    params, flops = _numbers(table, "params"), _numbers(table, "flops")
    elements, channels = _shapes(table, graphs)
    positions = np.where(graphs.op == graphs.index(INPUT), elements / np.maximum(channels, 1), 0)
    pixels = per_graph(graphs, positions, np.maximum)
    uses = np.where(np.isnan(flops + params), _USES, flops / np.maximum(params, 1))
    return Sizes(
        activations=_counted(table, graphs, elements),
        uses=np.maximum(uses, 1),
        pixels=np.where(pixels > 0, pixels, _PIXELS),
        smooth=_smooth(graphs, texts),
    )


def known(table: pa.Table) -> Bools:
    """Return (n,) whether the costs of each row of the `graphs` contract suffice for a score."""
    found: Bools = ~np.isnan(_activations(table))
    return found


def _activations(table: pa.Table) -> Floats:
    """Return (n,) activations, estimated from the multiply-adds if only these are known."""
    flops, activations = _numbers(table, "flops"), _numbers(table, "activations")
    return np.where(np.isnan(activations), np.rint(flops / _PER_ACTIVATION), activations)


def _numbers(table: pa.Table, name: str) -> Floats:
    """Return (n,) numbers of a column, NaN if they are null or the column is missing."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values: Floats = table[name].cast(pa.float64(), safe=False).to_numpy()
    return values


def _counted(table: pa.Table, graphs: Graphs, elements: Floats) -> Floats:
    """Return (n,) the activations that count, given (nodes,) elements of each node's output.

    The activations of a network are divided among the nodes with multiply-adds in proportion to the
    elements of their outputs.
    """
    activations = _activations(table)
    params = _per_node(table, graphs, "node_params")
    elements = elements * (_per_node(table, graphs, "node_flops") > 0)
    total = per_graph(graphs, elements)
    each = np.repeat(activations / np.maximum(total, 1), graphs.sizes) * elements
    most = np.where(params > 0, _PER_PARAMETER * params, np.inf)
    # Sums of whole numbers are exact, in any order of the nodes.
    counted = per_graph(graphs, np.rint(np.minimum(each, most)))
    return np.where(total > 0, counted, activations)


def _per_node(table: pa.Table, graphs: Graphs, name: str) -> Floats:
    """Return (nodes,) numbers of a column of lists, 0 if they are unknown."""
    values = np.zeros(len(graphs.op))
    if name in table.column_names:
        listed = np.repeat(table[name].is_valid().to_numpy(), graphs.sizes)
        values[listed] = pc.list_flatten(table[name]).cast(pa.float64(), safe=False).to_numpy()
    return np.nan_to_num(values)


def _shapes(table: pa.Table, graphs: Graphs) -> tuple[Floats, Floats]:
    """Return (nodes,) elements of each node's output, 0 if unknown, and (nodes,) its channels.

    The channels are the first side of an output that has several sides, and 1 otherwise.
    """
    elements, channels = np.zeros(len(graphs.op)), np.ones(len(graphs.op))
    if NODE_COSTS[0] not in table.column_names:
        return elements, channels
    column = table[NODE_COSTS[0]]
    shapes = pc.list_flatten(column).combine_chunks()
    lengths = pc.list_value_length(shapes).fill_null(0).to_numpy()
    sides = shapes.flatten().cast(pa.float64()).to_numpy()
    listed = np.flatnonzero(np.repeat(column.is_valid().to_numpy(), graphs.sizes))
    first = np.cumsum(lengths) - lengths
    if (lengths > 0).any():
        elements[listed[lengths > 0]] = np.multiply.reduceat(sides, first[lengths > 0])
        channels[listed[lengths > 1]] = sides[first[lengths > 1]]
    return elements, channels


def _smooth(graphs: Graphs, texts: Mapping[str, str]) -> Floats:
    """Return (n,) the share of smooth ones among the activation functions that operators name."""
    words = [
        f"{name} {texts.get(name, '')}".lower().replace("-swish", "swish")
        for name in graphs.vocabulary
    ]
    smooth, other = (
        per_graph(graphs, np.array([bool(p.search(word)) for word in words], np.int64)[graphs.op])
        for p in (_SMOOTH_WORDS, _OTHER_WORDS)
    )
    named = smooth + other
    return np.where(named > 0, smooth / np.maximum(named, 1), _SHARE)
