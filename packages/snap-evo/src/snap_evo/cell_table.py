"""Find cells in a `graphs.parquet` file, within their own search space."""

import os
from collections.abc import Hashable, Iterable
from typing import TypeVar

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.parquet import read

_Key = TypeVar("_Key", bound=Hashable)


class CellTable:
    """The rows of a `graphs.parquet` file by cell.

    If the file does not hold a cell, the first cell of the same space that is isomorphic to it
    without dead operators takes its place: generated NAS-Bench-101 cells are seldom written as the
    benchmark writes them.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        """Read which cells the file holds."""
        keys = read(file, "graphs", columns=["space", "arch_id", "cell_hash"])
        spaces, arch_ids, hashes = (column.to_pylist() for column in keys.columns)
        self._file = str(file)
        self._spaces = list(dict.fromkeys(spaces))
        self._by_arch = _first_rows(zip(spaces, arch_ids, strict=True))
        self._by_hash = _first_rows(zip(spaces, hashes, strict=True))

    def check_space(self, name: str) -> None:
        """Check that the file holds cells of a space.

        Raises:
            SnapError: it holds none.
        """
        if name not in self._spaces:
            held = ", ".join(self._spaces[:5]) or "no space"
            raise SnapError(
                f"{self._file}: holds cells of {held}, none of {name}; name a table of {name}"
            )

    def rows(self, graphs: pa.Table) -> list[int | None]:
        """Return the file's row of every architecture of a table; None if it is missing.

        Args:
            graphs: n rows of the `graphs` contract.

        Raises:
            SnapError: the file holds no cells of their space.
        """
        spaces, arch_ids, hashes = (
            graphs[column].to_pylist() for column in ("space", "arch_id", "cell_hash")
        )
        for name in dict.fromkeys(spaces):
            self.check_space(name)
        return [
            self._by_arch.get((name, arch_id), self._by_hash.get((name, cell_hash)))
            for name, arch_id, cell_hash in zip(spaces, arch_ids, hashes, strict=True)
        ]


def _first_rows(keys: Iterable[_Key]) -> dict[_Key, int]:
    rows: dict[_Key, int] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, row)
    return rows
