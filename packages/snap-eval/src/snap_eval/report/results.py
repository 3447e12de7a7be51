"""Read the Parquet files of a folder of results."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from snap_catalog import SnapError, parquet
from snap_catalog.schemas import Name

from snap_eval.folder import read_folder


@dataclass(frozen=True)
class File:
    """One file of results.

    Attributes:
        name: its path within the folder, without `.parquet`.
        table: its rows.
        facts: the `snap.*` entries of its metadata.
    """

    name: str
    table: pa.Table
    facts: Mapping[str, str]

    def fault(self, entry: str) -> SnapError:
        """Return the error for a metadata entry with a wrong value."""
        value = self.facts.get(entry)
        return SnapError(
            f"{self.name}.parquet: its metadata entry {entry!r} is {value!r:.80}; write the file "
            "again"
        )


@dataclass(frozen=True, eq=False)
class Results:
    """The files of a folder by the contract that their metadata name.

    Attributes:
        files: the files of each contract, in the order of their paths.
        foreign: the names of Parquet files of other programs.
    """

    files: Mapping[Name, tuple[File, ...]]
    foreign: tuple[str, ...] = ()

    def of(self, kind: Name) -> tuple[File, ...]:
        """Return the files that keep a contract."""
        return self.files.get(kind, ())

    def rows(self, kind: Name) -> list[dict[str, Any]]:
        """Return the rows of all files that keep a contract."""
        return [row for file in self.of(kind) for row in file.table.to_pylist()]

    def trials(self, name: str) -> File | None:
        """Return the first `trials` file with this name in any folder; None if there is none."""
        return next((f for f in self.of("trials") if Path(f.name).name == name), None)


def read_results(folder: Path) -> Results:
    """Read all Parquet files in a folder and its subfolders.

    Raises:
        SnapError: the folder does not exist or has no file of the tools, or a file is damaged or
            breaks its contract.
    """
    found: dict[Name, list[File]] = {}
    foreign = []
    for path, kind, table in read_folder(folder, nested=True):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if kind is None:
            foreign.append(name)
        else:
            file = File(name, table, parquet.decode_metadata(table.schema))
            found.setdefault(kind, []).append(file)
    if not found:
        raise SnapError(
            f"{folder}: holds no Parquet file of the SNAP tools; write results there first, as "
            "snap-eval correlate does"
        )
    files = MappingProxyType({kind: tuple(files) for kind, files in found.items()})
    return Results(files, tuple(foreign))
