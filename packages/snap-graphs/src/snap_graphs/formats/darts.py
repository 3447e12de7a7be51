"""Tables of DARTS genotypes."""

from typing import Any

from snap_graphs.cell import Cell
from snap_graphs.formats.tables import Table
from snap_graphs.spaces.darts import Darts


class DartsTable(Table):
    """Genotypes, in any of their forms, in a column `arch`."""

    title = "a table with the column arch"
    benchmark = "darts"
    needed = ("arch",)
    space = Darts()

    def cell(self, row: tuple[Any, ...]) -> Cell:
        """Parse the genotype."""
        return self.space.parse(row[0])


class NasBench301Table(DartsTable):
    """The same for NAS-Bench-301, as the genotypes of its surrogate's training set."""

    benchmark = "nb301"
