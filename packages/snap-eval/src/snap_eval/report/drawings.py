"""Drawings of cells that a page can hold."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from snap_graphs import Cell
from snap_graphs.drawing import draw_architecture


class Named(NamedTuple):
    """A cell, and what it is called in its space."""

    space: str
    arch_id: str
    cell: Cell

    @property
    def key(self) -> str:
        """What its drawing is called."""
        return f"{self.space} {self.arch_id}"


def drawings(cells: Iterable[Named]) -> dict[str, str]:
    """Draw cells, each once, as SVG by their keys."""
    from matplotlib import rc_context

    distinct = {named.key: named for named in cells}
    # Letters as text rather than as outlines take a third of the place.
    with tempfile.TemporaryDirectory() as folder, rc_context({"svg.fonttype": "none"}):
        return {key: _drawn(named, Path(folder) / "cell.svg") for key, named in distinct.items()}


def _drawn(named: Named, path: Path) -> str:
    draw_architecture(named.space, named.cell, path)
    return smaller(path.read_text("utf-8"))


def smaller(svg: str) -> str:
    """Leave out of a drawing by matplotlib what cannot be seen; it takes half the place then.

    That is metadata, clipping (nothing is drawn outside), decimals beyond the second, line breaks.
    """
    svg = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<clipPath.*?</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="[^"]*"', "", svg)
    svg = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", svg)
    return re.sub(r"\s+", " ", svg)
