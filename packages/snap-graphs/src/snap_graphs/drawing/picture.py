"""Shapes of a drawing, in inches from the top left corner."""

from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
"""(x, y), to the right and down."""

INK = "#555555"
"""Colour of lines and of the edges of boxes."""


@dataclass(frozen=True)
class Line:
    """Cubic curves that follow one another.

    Attributes:
        points: the start, then of each curve its two control points and its end.
        width: in points (1/72 inch).
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
        middle: of the text.
        text: what it says.
        size: of its letters, in points.
        subscript: what is set lower and smaller behind it.
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
