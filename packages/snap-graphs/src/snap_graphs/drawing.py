"""Draw cells: layers from left to right, or of two cells side by side from top to bottom."""

import itertools
import math
import os
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from snap_catalog import SnapError
from snap_catalog.parquet import replacing

from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.layout import Layout, Point, Stop, lay_out
from snap_graphs.spaces.genotypes import TWO_CELL_SPACES, Genotype, Pair, to_genotype

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Edges = tuple[tuple[int, int], ...]

_CHARACTER, _PADDING, _HEIGHT = 0.075, 0.12, 0.26
_COLUMN_GAP, _ROW_GAP, _MARGIN, _LINE = 0.55, 0.2, 0.15, 0.25
_LAYER_GAP, _BOX_GAP, _LANE, _RISE = 0.24, 0.18, 0.2, 0.1
"""All in inches, in which the axes count; an edge without a lane rises by the last a layer."""
_MOST_NODES = 512
_LONGEST_LABEL, _MOST_LINES = 40, 20
"""Characters of an operator's name and lines of a title beyond which either is cut."""
_DOTS, _MOST_DOTS, _MOST_DOTS_IN_ALL = 200, 20_000, 10_000_000
"""Of a PNG: dots an inch; fewer where its longer side or its area would have more than these."""
_FORMULAE = ("$c_{k-2}$", "$c_{k-1}$", "$c_{k}$")
_ENDS_COLOUR, _OTHER_COLOUR, _LINE_COLOUR = "#e6e6e6", "#d4b9da", "#555555"
_KIND_COLOURS = {"conv": "#9ecae9", "pool": "#ffbf79", "skip": "#c7e9c0", "none": "#ffffff"}


def draw_architecture(
    space: str, cell: Cell, path: str | os.PathLike[str], *, title: str | None = None
) -> None:
    """Draw an architecture: as normal and reduction cell where the graph joins the two, else as is.

    Raises:
        SnapError: the file cannot be written.
    """
    genotype = _genotype(cell) if space in TWO_CELL_SPACES else None
    if genotype is None:
        draw(cell, path, title=title)
    else:
        draw_genotype(genotype, path, title=title)


def draw(cell: Cell, path: str | os.PathLike[str], *, title: str | None = None) -> None:
    """Draw a cell from left to right; the file's suffix (`.svg`, `.png`) chooses the format.

    Equal cells give equal files.

    Raises:
        SnapError: the file cannot be written, or the cell has more than 512 nodes.
    """
    if len(cell.nodes) > _MOST_NODES:
        raise SnapError(f"{path}: a drawing shows {_MOST_NODES} nodes, not {len(cell.nodes):,}")
    _save([_across(cell)], path, title)


def draw_genotype(
    genotype: Genotype, path: str | os.PathLike[str], *, title: str | None = None
) -> None:
    """Draw the normal and the reduction cell side by side, from top to bottom (paper, figure 9).

    c_{k-2} and c_{k-1} are the outputs of the two cells before, c_{k} is the cell's own; a circle
    stands for the sum that is one of its nodes, numbered from 0 as in the DARTS paper.

    Raises:
        SnapError: the file cannot be written.
    """
    panels = [
        _down(genotype.normal, genotype.normal_concat, "normal cell"),
        _down(genotype.reduce, genotype.reduce_concat, "reduction cell"),
    ]
    _save(panels, path, title)


def _genotype(cell: Cell) -> Genotype | None:
    try:
        return to_genotype(cell)
    except SnapError:  # a view of the graph, as one without dead operators
        return None


@dataclass(frozen=True)
class _Panel:
    """A graph ready to be drawn.

    Attributes:
        names: operator of every node.
        labels: text of every node.
        widths: of every node's box.
        layout: lays the nodes out; layers are numbers, places across are inches.
        step: from one layer's middle to the next.
        half: half a box in the direction of the layers.
        downwards: whether layers run from top to bottom.
        caption: a line above the graph.
    """

    names: Sequence[str]
    labels: Sequence[str]
    widths: Sequence[float]
    layout: Layout
    step: float
    half: float
    downwards: bool = False
    caption: str = ""

    def point(self, along: float, across: float) -> Point:
        """Return the (x, y) of a point."""
        return (-across, -along) if self.downwards else (along, across)

    def place(self, stop: Stop) -> Point:
        """Return (along, across) of a stop, in inches."""
        layer, across = self.layout.places[stop]
        return layer * self.step, across

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, right, low and high end, margins and caption included."""
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
        """Return how far an edge without a lane rises above its ends."""
        (start, _), (end, _) = (self.layout.places[node,] for node in edge)
        return _RISE * (end - start - 1)


def _across(cell: Cell) -> _Panel:
    labels = [_label(name) for name in cell.nodes]
    width = max(map(_width, labels))
    layout = lay_out(len(labels), cell.edges, lambda stop: _HEIGHT + _ROW_GAP)
    step = width + _COLUMN_GAP
    return _Panel(cell.nodes, labels, [width] * len(labels), layout, step, width / 2)


def _down(pairs: Sequence[Pair], concat: Sequence[int], caption: str) -> _Panel:
    names, edges = _with_sums(pairs, concat)
    sums = itertools.count()
    ends = iter(_FORMULAE)
    labels = [
        next(ends) if name in (INPUT, OUTPUT) else _label(name) if name else str(next(sums))
        for name in names
    ]
    widths = [_width(label) if name else _HEIGHT for name, label in zip(names, labels, strict=True)]
    layout = lay_out(
        len(names), edges, lambda stop: _LANE if len(stop) > 1 else widths[stop[0]] + _BOX_GAP
    )
    step = _HEIGHT + _LAYER_GAP
    return _Panel(names, labels, widths, layout, step, _HEIGHT / 2, True, caption)


def _with_sums(pairs: Sequence[Pair], concat: Sequence[int]) -> tuple[list[str], Edges]:
    """Return the nodes of one cell, of which '' is a sum of two operators, and its edges."""
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
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    bounds = [panel.bounds for panel in panels]
    width = sum(right - left for left, right, _, _ in bounds)
    body = max(high - low for *_, low, high in bounds)
    heading = textwrap.wrap(
        _shown(title or ""), int(width / _CHARACTER), max_lines=_MOST_LINES, placeholder=" ..."
    )
    height = body + _LINE * len(heading)
    figure = Figure(figsize=(width, height))
    start = 0.0
    for panel, (left, right, _, high) in zip(panels, bounds, strict=True):
        area = (start / width, 0, (right - left) / width, body / height)
        axes = figure.add_axes(area, xlim=(left, right), ylim=(high - body, high))
        _draw_panel(axes, panel)
        start += right - left
    for number, line in enumerate(heading, start=1):
        middle = 1 - (number - 0.3) * _LINE / height
        figure.text(0.5, middle, line, ha="center", va="center", fontsize=8, parse_math=False)
    suffix = Path(path).suffix.removeprefix(".")
    metadata = {"Date": None} if suffix == "svg" else None
    dots = min(
        _DOTS, _MOST_DOTS / max(width, height), math.sqrt(_MOST_DOTS_IN_ALL / width / height)
    )
    with (
        replacing(path) as temporary,
        rc_context({"svg.hashsalt": "snap"}),
        warnings.catch_warnings(action="ignore"),  # of characters that the font lacks
    ):
        figure.savefig(temporary, format=suffix, dpi=dots, metadata=metadata)


def _draw_panel(axes: "Axes", panel: _Panel) -> None:
    axes.set_axis_off()
    if panel.layout.has_lanes:
        for way in panel.layout.ways.values():
            _draw_edge(axes, panel, [panel.place(stop) for stop in way])
    else:
        _draw_arcs(axes, panel)
    for node, name in enumerate(panel.names):
        place = panel.point(*panel.place((node,)))
        _draw_node(axes, place, name, panel.labels[node], panel.widths[node])
    if panel.caption:
        left, right, _, high = panel.bounds
        middle, top = (left + right) / 2, high - _LINE / 2
        axes.text(middle, top, panel.caption, ha="center", va="center", fontsize=9)


def _draw_edge(axes: "Axes", panel: _Panel, way: list[Point]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    half = panel.half
    start, end = (way[0][0] + half, way[0][1]), (way[-1][0] - half, way[-1][1])
    points = [start]
    for along, across in way[1:-1]:
        points += [(along - half, across), (along + half, across)]
    points.append(end)
    vertices, codes = [start], [Curve.MOVETO]
    for i, ((a0, c0), (a1, c1)) in enumerate(itertools.pairwise(points)):
        bend = (a1 - a0) / 2 if i % 2 == 0 else 0.0
        vertices += [(a0 + bend, c0), (a1 - bend, c1), (a1, c1)]
        codes += [Curve.CURVE4] * 3
    curve = Curve([panel.point(*vertex) for vertex in vertices], codes)
    arrow = FancyArrowPatch(path=curve, arrowstyle="-|>", mutation_scale=8, color=_LINE_COLOUR)
    axes.add_patch(arrow)


def _draw_arcs(axes: "Axes", panel: _Panel) -> None:
    """Draw edges as plain curves without arrowheads; the longer one is, the higher it rises.

    There are many: smoothing them would take most of the time.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path as Curve

    curves, codes = [], [Curve.MOVETO, *[Curve.CURVE4] * 3]
    for edge in panel.layout.ways:
        (start, low), (end, high) = (panel.place((node,)) for node in edge)
        start, end, bend = start + panel.half, end - panel.half, (end - start) / 3
        lift = 4 / 3 * panel.rise(edge)  # a cubic curve rises three quarters of the way
        controls = (start + bend, low + lift), (end - bend, high + lift)
        places = ((start, low), *controls, (end, high))
        curves.append(Curve([panel.point(*place) for place in places], codes))
    drawn = PathCollection(
        curves, facecolors="none", edgecolors=_LINE_COLOUR, linewidths=0.3, antialiaseds=False
    )
    axes.add_collection(drawn, autolim=False)


def _draw_node(axes: "Axes", place: Point, name: str, label: str, width: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    corner = (x - width / 2, y - _HEIGHT / 2)
    rounding = 0.06 if name else _HEIGHT / 2
    style = f"round,pad=0,rounding_size={rounding}"
    box = FancyBboxPatch(corner, width, _HEIGHT, boxstyle=style)
    box.set(facecolor=_colour(name), edgecolor=_LINE_COLOUR, zorder=3)
    axes.add_patch(box)
    is_formula = label in _FORMULAE
    axes.text(x, y, label, ha="center", va="center", fontsize=8, zorder=4, parse_math=is_formula)


def _label(name: str) -> str:
    label = _shown(name).replace("_", " ")
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 3]}..."


def _shown(text: str) -> str:
    """Put something visible for characters that cannot be printed; many of them make no XML."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def _width(label: str) -> float:
    shown = label.strip("$").replace("{", "").replace("}", "")
    return len(shown) * _CHARACTER + 2 * _PADDING


def _colour(name: str) -> str:
    if name in (INPUT, OUTPUT, ""):
        return _ENDS_COLOUR
    return next((c for kind, c in _KIND_COLOURS.items() if kind in name), _OTHER_COLOUR)
