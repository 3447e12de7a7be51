"""Arrange graphs in layers, so that edges cross no node.

The edges of very large graphs get no lanes.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Place = tuple[float, float]
"""(along, across) the direction in which the layers follow one another."""
Stop = tuple[int, ...]
"""(node,), or (source, layer) where the long edges out of a node pass a layer, all in one lane."""

_MOST_LANES = 500
"""Layers that all edges together may lead on or past by lanes; more of them show nothing more."""


@dataclass(frozen=True)
class Layout:
    """Where everything is.

    Attributes:
        places: by stop its layer and its middle across, which is 0 for the middle of a layer.
        ways: by edge its stops: source, a place in each layer that it passes, target; where the
            graph is too large for lanes, source and target alone.
        has_lanes: whether it is not.
    """

    places: dict[Stop, Place]
    ways: dict[tuple[int, int], list[Stop]]
    has_lanes: bool


def lay_out(
    nodes: int, edges: tuple[tuple[int, int], ...], breadth: Callable[[Stop], float]
) -> Layout:
    """Put each node in the layer of the longest way to it, the last node in a layer of its own.

    A layer is ordered by where its edges come from.

    Args:
        nodes: number of nodes, in topological order.
        edges: (source, target) nodes.
        breadth: the space a stop takes across.
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
