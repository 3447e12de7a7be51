"""The part of a search space for which a table has measurements."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from snap_graphs import Cell, Graphs, Space
from snap_graphs.spaces import Costs, ProductSpace
from snap_graphs.spaces.base import NodeFacts

_NEAR = 20
"""Neighbours of a cell."""


class TableSpace(ProductSpace):
    """Some cells of a space of independent choices.

    Any other cell of the space is replaced by the cell that differs from it in the fewest choices,
    the first of equals. Neighbours are the 20 other cells that differ least.
    """

    # From the list of cells, not from the choices as in other spaces of choices.
    sample = Space.sample
    mutate = Space.mutate

    def __init__(self, space: ProductSpace, cells: Sequence[Cell]) -> None:
        """Take the cells."""
        self._full_space, self._cells = space, cells
        self._places = np.array([space.choices(cell) for cell in cells])

    @property
    def name(self) -> str:
        """The space's name in every file."""
        return self._full_space.name

    @property
    def options(self) -> tuple[int, ...]:
        """Number of options of every choice."""
        return self._full_space.options

    @property
    def enumerable(self) -> bool:
        """True: the cells are known."""
        return True

    @property
    def metadata(self) -> Mapping[str, str]:
        """Metadata of tables of the space."""
        return self._full_space.metadata

    def read(self, text: str) -> Cell:
        """Read the space's native string, also of a cell that is not in the table."""
        return self._full_space.read(text)

    def format(self, cell: Cell) -> str:
        """Write a cell as the space's native string."""
        return self._full_space.format(cell)

    def compose(self, choices: Sequence[int]) -> Cell:
        """Return the cell that differs least from the choices."""
        return self._cells[int(np.argmin(self._differences(choices)))]

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the options that make up the cell."""
        return self._full_space.choices(cell)

    def costs(self, graphs: Graphs) -> Costs | None:
        """Compute the costs of the cells' networks; None if they are unknown."""
        return self._full_space.costs(graphs)

    def node_facts(self, cells: Sequence[Cell]) -> NodeFacts | None:
        """Return facts about each node of whole networks; None for graphs of cells."""
        return self._full_space.node_facts(cells)

    def enumerate(self) -> Iterator[Cell]:
        """Yield the cells."""
        return iter(self._cells)

    def count(self) -> int:
        """Return the number of cells."""
        return len(self._cells)

    def neighbours(self, cell: Cell) -> Iterator[Cell]:
        """Yield the other cells that differ least from a cell."""
        order = np.argsort(self._differences(self._full_space.choices(cell)), kind="stable")
        near = (self._cells[row] for row in order[: _NEAR + 1])
        return (other for other in near if other != cell)

    def _differences(self, choices: Sequence[int]) -> npt.NDArray[np.int64]:
        found: npt.NDArray[np.int64] = (self._places != np.array(choices)).sum(axis=1)
        return found
