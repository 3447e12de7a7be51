"""Tables of architectures and metrics: CSV, gzipped CSV and Parquet."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.metrics import is_metric
from snap_catalog.tables import TEXT_COLUMNS, doubles, read_table, refuse_missing

from snap_graphs.cell import Cell
from snap_graphs.formats.base import CHUNK, Chunk, Format, Request
from snap_graphs.spaces.base import Space
from snap_graphs.spaces.darts import Darts
from snap_graphs.spaces.nb101 import NasBench101, module_hash
from snap_graphs.spaces.nb201 import NasBench201
from snap_graphs.spaces.transnas import TransNasMacro, TransNasMicro

CHECKED_HASHES = 1000
"""Number of evenly spaced hashes of a file to recompute."""


def table_with(path: Path, needed: Sequence[str]) -> pa.Table:
    """Read a table with one architecture per row.

    Args:
        path: the file; its first bytes determine the format.
        needed: required columns, without missing values.

    Raises:
        SnapError: the file is missing or damaged, or a column is missing or has a wrong type.
    """
    table = read_table(path)
    for column in needed:
        if column not in table.column_names:
            there = ", ".join(table.column_names)
            raise SnapError(f"{path}: column {column!r} is missing; there are {there}")
        refuse_missing(table[column], column, str(path))
        kind, is_text = table[column].type, column in TEXT_COLUMNS
        if not (pa.types.is_string if is_text else pa.types.is_integer)(kind):
            wanted = "text" if is_text else "whole numbers"
            raise SnapError(f"{path}: column {column!r} must hold {wanted}, not {kind}")
    return table


def table_metrics(
    path: Path, table: pa.Table, request: Request
) -> dict[str, npt.NDArray[np.float64]]:
    """Return a table's metric columns: those named like metrics, and those mapped by the user.

    Raises:
        SnapError: a mapped column is missing, a metric column has no numbers, or two columns map to
            one metric.
    """
    for column in request.columns:
        if column not in table.column_names:
            raise SnapError(f"{path}: column {column!r}, given with --column, is missing")
    metrics: dict[str, npt.NDArray[np.float64]] = {}
    for column in table.column_names:
        name = request.columns.get(column, column)
        if name in metrics:
            raise SnapError(f"{path}: two columns map to {name!r}, one is {column!r}; remove one")
        if is_metric(name):
            metrics[name] = numbers = doubles(table, column, str(path)).to_numpy()
            if numbers.size and np.isnan(numbers).all():
                raise SnapError(f"{path}: column {column!r} has no values; fill it in or remove it")
    return metrics


def good_rows(
    path: Path, n: int, cell: Callable[[int], Cell], request: Request
) -> Iterator[tuple[list[int], list[Cell]]]:
    """Yield the positions and cells of the rows that have a cell, in chunks.

    Args:
        path: the source file.
        n: number of rows.
        cell: builds the cell of a row; raises `SnapError` if the row is bad.
        request: whether bad rows are skipped.
    """
    for first in range(0, n, CHUNK):
        kept, cells = [], []
        for row in range(first, min(first + CHUNK, n)):
            try:
                cells.append(cell(row))
                kept.append(row)
            except SnapError as error:
                request.bad(path, row + 1, error)
        yield kept, cells


class Table(Format):
    """A table with one architecture per row.

    Attributes:
        needed: the columns that define the architecture.
        space: the space of the cells.
    """

    needed: ClassVar[tuple[str, ...]]
    space: ClassVar[Space]
    suffixes = (".csv", ".csv.gz", ".parquet")
    by_hand = True

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the rows; rows with an invalid architecture or infinite values are bad."""
        table = table_with(path, self.needed)
        metrics = table_metrics(path, table, request)
        rows = list(zip(*(table[name].to_pylist() for name in self.needed), strict=True))
        infinite = np.zeros(len(rows), np.bool_)
        for values in metrics.values():
            infinite |= np.isinf(values)

        def cell(row: int) -> Cell:
            if infinite[row]:
                raise SnapError("a metric is not finite; leave it empty instead")
            return self.cell(rows[row])

        for kept, cells in good_rows(path, len(rows), cell, request):
            arch_ids = [self.space.format(cell) for cell in cells]
            measured = {name: values[kept] for name, values in metrics.items()}
            hashes = self._hashes(path, table, kept, cells)
            yield Chunk(cells, arch_ids, measured, hashes)

    def _hashes(
        self, path: Path, table: pa.Table, kept: list[int], cells: list[Cell]
    ) -> list[str] | None:
        """Return the module hashes of the kept rows; None for other spaces than NAS-Bench-101."""
        return None

    @abstractmethod
    def cell(self, row: tuple[Any, ...]) -> Cell:
        """Build the cell of a row's `needed` columns.

        Raises:
            SnapError: the columns define no cell.
        """


class StringTable(Table):
    """A table with native strings in a column `arch`."""

    title = "a table with the column arch"
    needed = ("arch",)

    def cell(self, row: tuple[Any, ...]) -> Cell:
        """Parse the string."""
        return self.space.parse(row[0])


class NasBench201Table(StringTable):
    """NAS-Bench-201 strings."""

    benchmark = "nb201"
    space = NasBench201()


class DartsTable(StringTable):
    """DARTS genotypes, in any of their forms."""

    benchmark = "darts"
    space = Darts()


class NasBench301Table(DartsTable):
    """The genotypes of the training set of NAS-Bench-301's surrogate."""

    benchmark = "nb301"


class TransNasMicroTable(StringTable):
    """Strings of TransNAS-Bench-101's cells."""

    benchmark = "transnas-micro"
    space = TransNasMicro()


class TransNasMacroTable(StringTable):
    """Strings of TransNAS-Bench-101's macro-level networks."""

    benchmark = "transnas-macro"
    space = TransNasMacro()


class NasBench101Table(Table):
    """NAS-Bench-101 cells in the columns `n_vertices`, `adj_upper` and `ops`.

    A column `hash` becomes `module_hash` after a sample of it was recomputed; without one, all
    hashes are computed.
    """

    title = "a table with the columns n_vertices, adj_upper and ops"
    benchmark = "nb101"
    needed = ("n_vertices", "adj_upper", "ops")
    space = NasBench101()

    def cell(self, row: tuple[Any, ...]) -> Cell:
        """Build the cell."""
        return NasBench101().cell(*row)

    def _hashes(
        self, path: Path, table: pa.Table, kept: list[int], cells: list[Cell]
    ) -> list[str] | None:
        if "hash" not in table.column_names:
            return [module_hash(cell) for cell in cells]
        published: list[str] = table["hash"].take(kept).to_pylist()
        remedy = "fix the row, or remove the column to have hashes computed"
        step = max(1, table.num_rows // CHECKED_HASHES)
        check_hashes(path, cells[::step], published[::step], [r + 1 for r in kept[::step]], remedy)
        return published


def check_hashes(
    path: Path,
    cells: Sequence[Cell],
    published: Sequence[str],
    records: Sequence[int | str],
    remedy: str,
) -> None:
    """Recompute NAS-Bench-101's hashes of some cells.

    Args:
        path: the source file.
        cells: the cells.
        published: their hashes.
        records: record numbers for errors.
        remedy: advice for a wrong hash.

    Raises:
        SnapError: a hash is wrong.
    """
    for cell, found, record in zip(cells, published, records, strict=True):
        expected = module_hash(cell)
        if found != expected:
            raise SnapError(
                f"{path}: record {record}: hash {found!r} is wrong (expected {expected}); {remedy}"
            )
