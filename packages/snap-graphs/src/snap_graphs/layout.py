"""Lay graphs out in layers, so that edges can be drawn that never cross a node."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import networkx as nx
import numpy as np

Point = tuple[float, float]
"""(along, across) the direction in which the layers follow one another."""
Stop = tuple[int, ...]
"""(node,), or (source, layer) where the long edges out of a node pass a layer, all in one lane."""


@dataclass(frozen=True)
class Layout:
    """Where everything is.

    Attributes:
        places: by stop its layer and its middle across, which is 0 for the middle of a layer.
        ways: by edge its stops: source, a place in each layer that it passes, target.
    """

    places: dict[Stop, Point]
    ways: dict[tuple[int, int], list[Stop]]


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
    ways = {
        (src, dst): [(src,), *((src, x) for x in range(layer[src] + 1, layer[dst])), (dst,)]
        for src, dst in edges
    }
    columns: list[set[Stop]] = [set() for _ in range(max(layer) + 1)]
    before: dict[Stop, list[Stop]] = {}
    for node in range(nodes):
        columns[layer[node]].add((node,))
    for way in ways.values():
        for previous, stop in itertools.pairwise(way):
            before.setdefault(stop, []).append(previous)
            if stop != way[-1]:
                columns[stop[-1]].add(stop)
    places: dict[Stop, Point] = {}
    for x, column in enumerate(columns):
        origin = {
            stop: float(np.mean([places[p][1] for p in before.get(stop, [])] or [0.0]))
            for stop in column
        }
        ordered = sorted(column, key=lambda stop: (-origin[stop], stop))
        breadths = np.array([breadth(stop) for stop in ordered])
        middles = breadths.sum() / 2 - np.cumsum(breadths) + breadths / 2
        places |= {stop: (x, float(y)) for stop, y in zip(ordered, middles, strict=True)}
    return Layout(places, ways)


def _layers(nodes: int, edges: tuple[tuple[int, int], ...]) -> list[int]:
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(range(nodes))
    layer = [0] * nodes
    for number, generation in enumerate(nx.topological_generations(graph)):
        for node in generation:
            layer[node] = number
    return [*layer[:-1], max(1 + max(layer[:-1]), layer[-1])]
