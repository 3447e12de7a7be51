"""Draw pictures as PNG, by matplotlib."""

import math
import os
import warnings
from typing import TYPE_CHECKING

from snap_graphs.drawing.picture import INK, Box, Line, Picture, Polygon, Text

if TYPE_CHECKING:
    from matplotlib.collections import PathCollection

_DOTS, _MOST_DOTS, _MOST_DOTS_IN_ALL = 200, 20_000, 10_000_000
"""Dots an inch; fewer where the longer side or the area would have more than these."""
_THIN = 0.5
"""Lines narrower than this many points are not smoothed: there may be thousands."""


def write_png(picture: Picture, path: str | os.PathLike[str]) -> None:
    """Draw a picture into a file."""
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
