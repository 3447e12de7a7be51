"""The Parquet files of a folder in which other tools may be writing."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from snap_catalog import SnapError, parquet
from snap_catalog.schemas import Name

_HIDDEN = "."
"""How the names of temporary files begin, which no reader takes for results."""


class Content(NamedTuple):
    """A Parquet file.

    Attributes:
        path: its place.
        kind: the contract that it keeps; None for a file of other programs.
        table: its rows; without columns for a file of other programs.
    """

    path: Path
    kind: Name | None
    table: pa.Table


def read_folder(folder: Path, *, nested: bool) -> Iterator[Content]:
    """Yield the Parquet files of a folder, in the order of their paths.

    A file that is replaced meanwhile is read as it was or as it is, one that is removed is left
    out. Names that begin with a dot are temporary files and folders, and are left out too.

    Args:
        folder: where to look.
        nested: whether to look into the folders in it as well.

    Raises:
        SnapError: there is no such folder, it cannot be listed, or a file is damaged or breaks its
            contract.
    """
    if not folder.is_dir():
        raise SnapError(f"{folder}: no such folder; give the one that the results are in")
    for path in sorted(_paths(folder, nested)):
        content = _read(path)
        if content is not None:
            yield content


def _paths(folder: Path, nested: bool) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if nested and not name.startswith(_HIDDEN)]
        for name in files:
            if name.endswith(".parquet") and not name.startswith(_HIDDEN):
                yield Path(place) / name


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        reason = (error.strerror or str(error)).lower()
        raise SnapError(f"{error.filename}: cannot list this folder ({reason})") from error


def _read(path: Path) -> Content | None:
    """Read a file; None if it is gone. A failure counts only if nobody changed the file."""
    while (before := _identity(path)) is not None:
        try:
            kind = parquet.claim(path)
            return Content(path, kind, parquet.read(path, kind) if kind else pa.table({}))
        except SnapError:
            if _identity(path) == before:
                raise
    return None


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
