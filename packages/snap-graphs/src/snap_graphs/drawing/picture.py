"""Shapes of a drawing, in inches from the top left corner, and their output as SVG and PNG.

SVG needs no library, PNG matplotlib.
"""

import html
import math
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.collections import PathCollection

Point = tuple[float, float]
"""(x, y), to the right and down."""

INK = "#555555"
"""Colour of lines and of the edges of boxes."""
_POINTS = 72
"""Points, the unit of the SVG, per inch."""
_FONTS = "DejaVu Sans, Verdana, sans-serif"
_BASELINE, _SUBSCRIPT, _DROP = 0.36, 0.7, 0.2
"""Relative to the size of letters: baseline below the middle, size and drop of a subscript."""
_DOTS, _MOST_DOTS, _MOST_DOTS_IN_ALL = 200, 20_000, 10_000_000
"""Dots per inch, and limits on the dots of the longer side and of the area, which reduce it."""
_THIN = 0.5
"""Lines narrower than this many points are not smoothed: there may be thousands."""


@dataclass(frozen=True)
class Line:
    """Cubic curves that follow one another.

    Attributes:
        points: the start, then two control points and the end of each curve.
        width: width in points (1/72 inch).
    """

    points: Sequence[Point]
    width: float


@dataclass(frozen=True)
class Polygon:
    """A filled area with straight sides."""

    points: Sequence[Point]


@dataclass(frozen=True)
class Box:
    """A rectangle with round corners around a middle."""

    middle: Point
    width: float
    height: float
    rounding: float
    colour: str


@dataclass(frozen=True)
class Text:
    """A line of text around a middle.

    Attributes:
        middle: centre of the text.
        text: the text.
        size: size of its letters in points.
        subscript: smaller and lower text after it.
    """

    middle: Point
    text: str
    size: float
    subscript: str = ""


Shape = Line | Polygon | Box | Text


@dataclass(frozen=True)
class Picture:
    """Shapes on white; those that come later lie on top."""

    width: float
    height: float
    shapes: Sequence[Shape]


def to_svg(picture: Picture) -> str:
    """Return a picture as SVG; equal pictures give equal texts."""
    width, height = _number(picture.width), _number(picture.height)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
            f'viewBox="0 0 {width} {height}" font-family="{_FONTS}" text-anchor="middle">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *map(_element, picture.shapes),
            "</svg>\n",
        ]
    )


def _element(shape: Shape) -> str:
    match shape:
        case Line(points, width):
            return (
                f'<path d="M{_places(points[:1])}C{_places(points[1:])}" fill="none" '
                f'stroke="{INK}" stroke-width="{width:g}"/>'
            )
        case Polygon(points):
            return f'<path d="M{_places(points)}Z" fill="{INK}"/>'
        case Box((x, y), width, height, rounding, colour):
            corner = f'x="{_number(x - width / 2)}" y="{_number(y - height / 2)}"'
            size = f'width="{_number(width)}" height="{_number(height)}" rx="{_number(rounding)}"'
            return f'<rect {corner} {size} fill="{colour}" stroke="{INK}"/>'
        case Text():
            return _text(shape)


def _text(shape: Text) -> str:
    x, y = shape.middle
    place = f'x="{_number(x)}" y="{_number(y + _BASELINE * shape.size / _POINTS)}"'
    below = ""
    if shape.subscript:
        smaller, drop = _SUBSCRIPT * shape.size, _DROP * shape.size
        shown = html.escape(shape.subscript)
        below = f'<tspan dy="{drop:g}" font-size="{smaller:g}">{shown}</tspan>'
    style = ' font-style="italic"' if shape.subscript else ""
    shown = html.escape(shape.text)
    return f'<text {place} font-size="{shape.size:g}"{style}>{shown}{below}</text>'


def _places(points: Iterable[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(inches: float) -> str:
    """Write a length in points, to a hundredth of one."""
    return f"{inches * _POINTS:.2f}".rstrip("0").rstrip(".")


def write_png(picture: Picture, path: str | os.PathLike[str]) -> None:
    """Draw a picture into a PNG file."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch
    from matplotlib.patches import Polygon as Area

    width, height = picture.width, picture.height
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    axes.add_collection(_lines(picture), autolim=False)
    for shape in picture.shapes:
        match shape:
            case Polygon(points):
                axes.add_patch(Area(points, facecolor=INK, linewidth=0))
            case Box((x, y), across, down, rounding, colour):
                style = f"round,pad=0,rounding_size={rounding}"
                corner = (x - across / 2, y - down / 2)
                box = FancyBboxPatch(corner, across, down, boxstyle=style)
                box.set(facecolor=colour, edgecolor=INK, zorder=3)
                axes.add_patch(box)
            case Text((x, y), text, size, subscript):
                formula = f"${text}_{{{subscript}}}$" if subscript else text
                drawn = axes.text(x, y, formula, ha="center", va="center", fontsize=size, zorder=4)
                drawn.set_parse_math(bool(subscript))
    dots = min(
        _DOTS, _MOST_DOTS / max(width, height), math.sqrt(_MOST_DOTS_IN_ALL / width / height)
    )
    with warnings.catch_warnings(action="ignore"):  # about characters missing from the font
        figure.savefig(path, format="png", dpi=dots)


def _lines(picture: Picture) -> "PathCollection":
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    lines = [shape for shape in picture.shapes if isinstance(shape, Line)]
    curves = [
        Path(line.points, [Path.MOVETO, *[Path.CURVE4] * (len(line.points) - 1)]) for line in lines
    ]
    return PathCollection(
        curves,
        facecolors="none",
        edgecolors=INK,
        linewidths=[line.width for line in lines],
        antialiaseds=[line.width >= _THIN for line in lines],
    )
