"""Drawings of cells that a page can hold."""

from collections.abc import Iterable
from typing import NamedTuple

from snap_graphs import Cell
from snap_graphs.drawing import architecture_svg


class Named(NamedTuple):
    """A cell with its name in its search space."""

    space: str
    arch_id: str
    cell: Cell

    @property
    def key(self) -> str:
        """The key of its drawing."""
        return f"{self.space} {self.arch_id}"


def drawings(cells: Iterable[Named]) -> dict[str, str]:
    """Draw each distinct cell as SVG; return the drawings by key."""
    distinct = {named.key: named for named in cells}
    return {key: architecture_svg(named.space, named.cell) for key, named in distinct.items()}
