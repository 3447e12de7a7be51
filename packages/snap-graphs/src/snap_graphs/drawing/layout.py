"""Arrange the nodes of graphs in layers, and reserve lanes so that edges cross no node.

Very large graphs have no lanes.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Place = tuple[float, float]
"""(along, across): coordinates in the direction of the sequence of layers, and across it."""
Stop = tuple[int, ...]
"""(node,), or (source, layer): the lane in which all long edges of a node pass a layer."""

_MOST_LANES = 500
"""Maximum total length in layers of all edges for which lanes are reserved."""


@dataclass(frozen=True)
class Layout:
    """Positions of nodes and lanes.

    Attributes:
        places: layer of each stop, and position of its centre across the layer's centre.
        ways: stops of each edge: source, a lane in each layer that it passes, target; only source
            and target if there are no lanes.
        has_lanes: whether long edges have lanes.
    """

    places: dict[Stop, Place]
    ways: dict[tuple[int, int], list[Stop]]
    has_lanes: bool


def lay_out(
    nodes: int, edges: tuple[tuple[int, int], ...], breadth: Callable[[Stop], float]
) -> Layout:
    """Assign each node to the layer of its longest path, and the last node to a separate layer.

    The nodes of a layer are ordered by the mean position of their sources.

    Args:
        nodes: number of nodes, in topological order.
        edges: (source, target) nodes.
        breadth: returns the width of a stop across its layer.
    """
    layer = _layers(nodes, edges)
    has_lanes = sum(layer[dst] - layer[src] for src, dst in edges) <= _MOST_LANES
    ways: dict[tuple[int, int], list[Stop]] = {}
    for src, dst in edges:
        passed = range(layer[src] + 1, layer[dst]) if has_lanes else ()
        ways[src, dst] = [(src,), *((src, x) for x in passed), (dst,)]
    columns: list[set[Stop]] = [set() for _ in range(max(layer) + 1)]
    before: dict[Stop, list[Stop]] = {}
    for node in range(nodes):
        columns[layer[node]].add((node,))
    for way in ways.values():
        for previous, stop in itertools.pairwise(way):
            before.setdefault(stop, []).append(previous)
            if stop != way[-1]:
                columns[stop[-1]].add(stop)
    places: dict[Stop, Place] = {}
    for x, column in enumerate(columns):
        origin = {
            stop: float(np.mean([places[p][1] for p in before.get(stop, [])] or [0.0]))
            for stop in column
        }
        ordered = sorted(column, key=lambda stop: (-origin[stop], stop))
        breadths = np.array([breadth(stop) for stop in ordered])
        middles = breadths.sum() / 2 - np.cumsum(breadths) + breadths / 2
        places |= {stop: (x, float(y)) for stop, y in zip(ordered, middles, strict=True)}
    return Layout(places, ways, has_lanes)


def _layers(nodes: int, edges: tuple[tuple[int, int], ...]) -> list[int]:
    layer = [0] * nodes
    for src, dst in sorted(edges):
        layer[dst] = max(layer[dst], layer[src] + 1)
    return [*layer[:-1], max(1 + max(layer[:-1]), layer[-1])]
