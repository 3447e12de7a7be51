"""Draw cells: layers from left to right, edges that never cross a box."""

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from snap_catalog.parquet import replacing

from snap_graphs.cell import INPUT, OUTPUT, Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]
Stop = tuple[int, ...]
"""(node,), or (source, layer) where the long edges out of a node pass a layer, all in one lane."""

_CHARACTER, _PADDING, _HEIGHT = 0.075, 0.12, 0.26
_COLUMN_GAP, _ROW_GAP, _MARGIN = 0.55, 0.46, 0.15
"""All in inches, in which the axes count."""
_ENDS_COLOUR, _OTHER_COLOUR, _LINE_COLOUR = "#e6e6e6", "#d4b9da", "#555555"
_KIND_COLOURS = {"conv": "#9ecae9", "pool": "#ffbf79", "skip": "#c7e9c0", "none": "#ffffff"}


def draw(cell: Cell, path: str | os.PathLike[str], *, title: str | None = None) -> None:
    """Draw a cell from left to right; the file's suffix (`.svg`, `.png`) chooses the format.

    Equal cells give equal files.

    Raises:
        SnapError: the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    width = max(len(_label(name)) for name in cell.nodes) * _CHARACTER + 2 * _PADDING
    ways = _ways(cell)
    places = {stop: (x * (width + _COLUMN_GAP), y) for stop, (x, y) in _places(cell, ways).items()}
    xs, ys = (np.array(axis) for axis in zip(*places.values(), strict=True))
    left, right = xs.min() - width / 2 - _MARGIN, xs.max() + width / 2 + _MARGIN
    low, high = ys.min() - _HEIGHT / 2 - _MARGIN, ys.max() + _HEIGHT / 2 + _MARGIN
    high += 0.25 * (title is not None)
    figure = Figure(figsize=(right - left, high - low))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(low, high))
    axes.set_axis_off()
    for way in ways.values():
        _draw_edge(axes, [places[stop] for stop in way], width / 2)
    for node, name in enumerate(cell.nodes):
        _draw_node(axes, places[node,], name, width)
    if title is not None:
        axes.text((left + right) / 2, high - 0.2, title, ha="center", va="center", fontsize=8)
    suffix = Path(path).suffix.removeprefix(".")
    metadata = {"Date": None} if suffix == "svg" else None
    with replacing(path) as temporary, rc_context({"svg.hashsalt": "snap"}):
        figure.savefig(temporary, format=suffix, dpi=200, metadata=metadata)


def _layers(cell: Cell) -> list[int]:
    """Return each node's layer: the length of the longest way to it, the output last of all."""
    graph = nx.DiGraph(cell.edges)
    graph.add_nodes_from(range(len(cell.nodes)))
    layer = [0] * len(cell.nodes)
    for number, generation in enumerate(nx.topological_generations(graph)):
        for node in generation:
            layer[node] = number
    return [*layer[:-1], max(1 + max(layer[:-1]), layer[-1])]


def _ways(cell: Cell) -> dict[tuple[int, int], list[Stop]]:
    """Return every edge's stops: its source, a place in each layer that it passes, its target."""
    layer = _layers(cell)
    return {
        (src, dst): [(src,), *((src, x) for x in range(layer[src] + 1, layer[dst])), (dst,)]
        for src, dst in cell.edges
    }


def _places(cell: Cell, ways: dict[tuple[int, int], list[Stop]]) -> dict[Stop, Point]:
    """Give each stop a column and a height; a column is ordered by where its edges come from."""
    layer = _layers(cell)
    columns: list[set[Stop]] = [set() for _ in range(max(layer) + 1)]
    before: dict[Stop, list[Stop]] = {}
    for node in range(len(cell.nodes)):
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
        for i, stop in enumerate(ordered):
            places[stop] = (x, ((len(ordered) - 1) / 2 - i) * _ROW_GAP)
    return places


def _draw_edge(axes: "Axes", way: list[Point], half: float) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    start, end = (way[0][0] + half, way[0][1]), (way[-1][0] - half, way[-1][1])
    points = [start]
    for x, y in way[1:-1]:
        points += [(x - half, y), (x + half, y)]
    points.append(end)
    vertices, codes = [start], [Curve.MOVETO]
    for i, ((x0, y0), (x1, y1)) in enumerate(itertools.pairwise(points)):
        bend = (x1 - x0) / 2 if i % 2 == 0 else 0.0
        vertices += [(x0 + bend, y0), (x1 - bend, y1), (x1, y1)]
        codes += [Curve.CURVE4] * 3
    arrow = FancyArrowPatch(
        path=Curve(vertices, codes), arrowstyle="-|>", mutation_scale=8, color=_LINE_COLOUR
    )
    axes.add_patch(arrow)


def _draw_node(axes: "Axes", place: Point, name: str, width: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    corner = (x - width / 2, y - _HEIGHT / 2)
    box = FancyBboxPatch(corner, width, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.06")
    box.set(facecolor=_colour(name), edgecolor=_LINE_COLOUR, zorder=3)
    axes.add_patch(box)
    axes.text(x, y, _label(name), ha="center", va="center", fontsize=8, zorder=4)


def _label(name: str) -> str:
    return name.replace("_", " ")


def _colour(name: str) -> str:
    if name in (INPUT, OUTPUT):
        return _ENDS_COLOUR
    return next((c for kind, c in _KIND_COLOURS.items() if kind in name), _OTHER_COLOUR)
