"""Write pictures as SVG, which needs no plotting library."""

import html
from collections.abc import Iterable

from snap_graphs.drawing.picture import INK, Box, Line, Picture, Point, Polygon, Shape, Text

_POINTS = 72
"""Points, in which SVG counts here, an inch."""
_FONTS = "DejaVu Sans, Verdana, sans-serif"
_BASELINE, _SUBSCRIPT, _DROP = 0.36, 0.7, 0.2
"""Of a letter's size: baseline below the middle, size of a subscript, and how much lower it is."""


def to_svg(picture: Picture) -> str:
    """Write a picture as SVG; equal pictures give equal texts."""
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
