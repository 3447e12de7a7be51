"""Draw a cell from left to right, or two cells side by side from top to bottom."""

import itertools
import math
import os
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from snap_catalog import SnapError
from snap_catalog.extras import require
from snap_catalog.parquet import replacing

from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.drawing.layout import Layout, Place, Stop, lay_out
from snap_graphs.drawing.picture import (
    Box,
    Line,
    Picture,
    Point,
    Polygon,
    Shape,
    Text,
    to_svg,
    write_png,
)
from snap_graphs.spaces.genotypes import TWO_CELL_SPACES, Genotype, Pair, to_genotype

Edges = tuple[tuple[int, int], ...]
Label = tuple[str, str]
"""A text and its subscript, which may be empty."""

_CHARACTER, _PADDING, _HEIGHT = 0.075, 0.12, 0.26
_COLUMN_GAP, _ROW_GAP, _MARGIN, _LINE = 0.55, 0.2, 0.15, 0.25
_LAYER_GAP, _BOX_GAP, _LANE, _RISE = 0.24, 0.18, 0.2, 0.1
_ROUNDING, _HEAD, _HEAD_HALF = 0.06, 0.09, 0.035
"""Lengths in inches; an edge without a lane rises by `_RISE` per layer."""
_LETTERS, _CAPTION_LETTERS, _LINE_WIDTH, _ARC_WIDTH = 8, 9, 1.0, 0.3
"""Sizes in points."""
_MOST_NODES = 512
_LONGEST_LABEL, _MOST_LINES = 40, 20
"""Maximum characters of an operator's name and lines of a title; more are cut."""
_OUTPUTS = (("c", "k-2"), ("c", "k-1"), ("c", "k"))
"""Labels of a cell's two inputs, the outputs of the two cells before it, and of its output."""
_ENDS_COLOUR, _OTHER_COLOUR = "#e6e6e6", "#d4b9da"
_KIND_COLOURS = {"conv": "#9ecae9", "pool": "#ffbf79", "skip": "#c7e9c0", "none": "#ffffff"}


def draw_architecture(
    space: str, cell: Cell, path: str | os.PathLike[str], *, title: str | None = None
) -> None:
    """Draw an architecture: a joint graph as normal and reduction cell, another graph unchanged.

    Raises:
        SnapError: as for `draw`.
    """
    _save(_panels(space, cell), path, title)


def architecture_svg(space: str, cell: Cell) -> str:
    """Return the drawing of `draw_architecture` as SVG.

    Raises:
        SnapError: the cell has more than 512 nodes.
    """
    return to_svg(_picture(_panels(space, cell)))


def draw(cell: Cell, path: str | os.PathLike[str], *, title: str | None = None) -> None:
    """Draw a cell from left to right; the file's suffix (`.svg`, `.png`) chooses the format.

    Equal cells give equal files.

    Raises:
        SnapError: the file cannot be written, the cell has more than 512 nodes, or a PNG is wanted
            and the extra `draw` is not installed.
    """
    _save([_across(cell)], path, title)


def draw_genotype(
    genotype: Genotype, path: str | os.PathLike[str], *, title: str | None = None
) -> None:
    """Draw the normal and the reduction cell side by side, from top to bottom (paper, figure 9).

    c_{k-2} and c_{k-1} are the outputs of the two cells before, c_{k} is the cell's own; circles
    are its sum nodes, numbered from 0 as in the DARTS paper.

    Raises:
        SnapError: as for `draw`.
    """
    _save(_two(genotype), path, title)


def _panels(space: str, cell: Cell) -> "list[_Panel]":
    if space in TWO_CELL_SPACES:
        with suppress(SnapError):  # the graph is a view, such as one without dead operators
            return _two(to_genotype(cell))
    return [_across(cell)]


def _two(genotype: Genotype) -> "list[_Panel]":
    return [
        _down(genotype.normal, genotype.normal_concat, "normal cell"),
        _down(genotype.reduce, genotype.reduce_concat, "reduction cell"),
    ]


@dataclass(frozen=True)
class _Panel:
    """A graph ready to be drawn.

    Attributes:
        names: operator of every node.
        labels: label of every node.
        widths: width of every node's box.
        layout: layer number of every node, and its position across the layers in inches.
        step: distance between the centres of consecutive layers.
        half: half the size of a box in the direction of the layers.
        downwards: whether layers run from top to bottom.
        caption: line above the graph.
    """

    names: Sequence[str]
    labels: Sequence[Label]
    widths: Sequence[float]
    layout: Layout
    step: float
    half: float
    downwards: bool = False
    caption: str = ""

    def point(self, along: float, across: float) -> Point:
        """Return (x, y) of a point; y increases to the top."""
        return (-across, -along) if self.downwards else (along, across)

    def place(self, stop: Stop) -> Place:
        """Return (along, across) of a stop, in inches."""
        layer, across = self.layout.places[stop]
        return layer * self.step, across

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, right, low and high end, including margins and caption."""
        stops = self.layout.places
        xs, ys = np.array([self.point(*self.place(stop)) for stop in stops]).T
        rise = 0.0 if self.layout.has_lanes else max(map(self.rise, self.layout.ways))
        halves = np.array([self.widths[s[0]] / 2 if len(s) == 1 else 0.0 for s in stops])
        half = _HEIGHT / 2 + _MARGIN
        return (
            float((xs - halves).min()) - _MARGIN,
            float((xs + halves).max()) + _MARGIN,
            float(ys.min()) - half,
            float(ys.max()) + half + rise + _LINE * bool(self.caption),
        )

    def rise(self, edge: tuple[int, int]) -> float:
        """Return the height of an edge without a lane above its ends."""
        (start, _), (end, _) = (self.layout.places[node,] for node in edge)
        return _RISE * (end - start - 1)


def _across(cell: Cell) -> _Panel:
    if len(cell.nodes) > _MOST_NODES:
        raise SnapError(f"a drawing has at most {_MOST_NODES} nodes, not {len(cell.nodes):,}")
    labels = [_label(name) for name in cell.nodes]
    width = max(map(_width, labels))
    layout = lay_out(len(labels), cell.edges, lambda stop: _HEIGHT + _ROW_GAP)
    step = width + _COLUMN_GAP
    return _Panel(cell.nodes, labels, [width] * len(labels), layout, step, width / 2)


def _down(pairs: Sequence[Pair], concat: Sequence[int], caption: str) -> _Panel:
    names, edges = _with_sums(pairs, concat)
    sums = itertools.count()
    ends = iter(_OUTPUTS)
    labels = [
        next(ends) if name in (INPUT, OUTPUT) else _label(name or str(next(sums))) for name in names
    ]
    widths = [_width(label) if name else _HEIGHT for name, label in zip(names, labels, strict=True)]
    layout = lay_out(
        len(names), edges, lambda stop: _LANE if len(stop) > 1 else widths[stop[0]] + _BOX_GAP
    )
    step = _HEIGHT + _LAYER_GAP
    return _Panel(names, labels, widths, layout, step, _HEIGHT / 2, True, caption)


def _with_sums(pairs: Sequence[Pair], concat: Sequence[int]) -> tuple[list[str], Edges]:
    """Return the nodes of one cell, including sums of two operators (''), and its edges."""
    names, place = [INPUT, INPUT], [0, 1]
    edges: list[tuple[int, int]] = []
    for step in range(len(pairs) // 2):
        total = len(names) + 2
        for operator, source in pairs[2 * step : 2 * step + 2]:
            edges += [(place[source], len(names)), (len(names), total)]
            names.append(operator)
        place.append(total)
        names.append("")
    edges += [(place[node], len(names)) for node in concat]
    return [*names, OUTPUT], tuple(edges)


def _save(panels: Sequence[_Panel], path: str | os.PathLike[str], title: str | None) -> None:
    picture, is_svg = _picture(panels, title), Path(path).suffix == ".svg"
    if not is_svg:
        require("snap-graphs[draw]", "matplotlib")
    with replacing(path) as temporary:
        if is_svg:
            temporary.write_text(to_svg(picture), "utf-8")
        else:
            write_png(picture, temporary)


def _picture(panels: Sequence[_Panel], title: str | None = None) -> Picture:
    """Arrange panels side by side under a title."""
    bounds = [panel.bounds for panel in panels]
    width = sum(right - left for left, right, _, _ in bounds)
    heading = textwrap.wrap(
        _shown(title or ""), int(width / _CHARACTER), max_lines=_MOST_LINES, placeholder=" ..."
    )
    shapes: list[Shape] = [
        Text((width / 2, (number + 0.7) * _LINE), line, _LETTERS)
        for number, line in enumerate(heading)
    ]
    start, top = 0.0, _LINE * len(heading)
    for panel, (left, right, _, high) in zip(panels, bounds, strict=True):
        shapes += _shapes(panel, (start - left, top + high))
        start += right - left
    return Picture(width, top + max(high - low for *_, low, high in bounds), shapes)


def _shapes(panel: _Panel, origin: Point) -> Iterator[Shape]:
    """Yield the shapes of a panel, given the position of its origin in the picture."""

    def at(place: Place) -> Point:
        x, y = panel.point(*place)
        return origin[0] + x, origin[1] - y

    if panel.layout.has_lanes:
        for way in panel.layout.ways.values():
            yield from _arrow([at(place) for place in _course(panel, way)])
    else:
        for edge in panel.layout.ways:
            yield Line([at(place) for place in _arc(panel, edge)], _ARC_WIDTH)
    for node, (name, label) in enumerate(zip(panel.names, panel.labels, strict=True)):
        middle = at(panel.place((node,)))
        rounding = _ROUNDING if name else _HEIGHT / 2
        yield Box(middle, panel.widths[node], _HEIGHT, rounding, _colour(name))
        yield Text(middle, label[0], _LETTERS, subscript=label[1])
    if panel.caption:
        left, right, _, high = panel.bounds
        x, y = origin[0] + (left + right) / 2, origin[1] - high + _LINE / 2
        yield Text((x, y), panel.caption, _CAPTION_LETTERS)


def _arrow(points: Sequence[Point]) -> Iterator[Shape]:
    """Yield a line and its arrowhead, which ends at the last point."""
    (x0, y0), (x, y) = points[-2:]
    length = math.hypot(x - x0, y - y0)
    dx, dy = (x - x0) / length, (y - y0) / length
    neck = (x - _HEAD * dx, y - _HEAD * dy)
    half_x, half_y = -_HEAD_HALF * dy, _HEAD_HALF * dx
    yield Line([*points[:-1], neck], _LINE_WIDTH)
    yield Polygon(
        [(x, y), (neck[0] + half_x, neck[1] + half_y), (neck[0] - half_x, neck[1] - half_y)]
    )


def _course(panel: _Panel, way: Sequence[Stop]) -> list[Place]:
    """Return the curve of an edge through its lanes: a start, then two controls and an end."""
    places, half = [panel.place(stop) for stop in way], panel.half
    points = [(places[0][0] + half, places[0][1])]
    for along, across in places[1:-1]:
        points += [(along - half, across), (along + half, across)]
    points.append((places[-1][0] - half, places[-1][1]))
    course = points[:1]
    for i, ((a0, c0), (a1, c1)) in enumerate(itertools.pairwise(points)):
        bend = (a1 - a0) / 2 if i % 2 == 0 else 0.0
        course += [(a0 + bend, c0), (a1 - bend, c1), (a1, c1)]
    return course


def _arc(panel: _Panel, edge: tuple[int, int]) -> list[Place]:
    """Return the curve of an edge without a lane; longer edges rise higher.

    There are many, which are drawn without arrowheads.
    """
    (start, low), (end, high) = (panel.place((node,)) for node in edge)
    start, end, bend = start + panel.half, end - panel.half, (end - start) / 3
    lift = 4 / 3 * panel.rise(edge)  # a cubic curve rises three quarters of the way
    return [(start, low), (start + bend, low + lift), (end - bend, high + lift), (end, high)]


def _label(name: str) -> Label:
    label = _shown(name).replace("_", " ")
    return (label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 3]}..."), ""


def _shown(text: str) -> str:
    """Replace unprintable characters, many of which are invalid in XML."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def _width(label: Label) -> float:
    return len("".join(label)) * _CHARACTER + 2 * _PADDING


def _colour(name: str) -> str:
    if name in (INPUT, OUTPUT, ""):
        return _ENDS_COLOUR
    return next((c for kind, c in _KIND_COLOURS.items() if kind in name), _OTHER_COLOUR)
