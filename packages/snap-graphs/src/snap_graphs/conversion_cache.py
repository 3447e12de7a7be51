"""What was converted from a data package, kept in the cache: a package is converted once."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.cache import cache_folder
from snap_catalog.checksums import file_sha256
from snap_catalog.parquet import read, write

_OF_THE_FILE = (b"snap.schema", b"snap.schema_version", b"snap.producer")
"""What a file's metadata has beside that of the table written."""


def once(name: str, sha256: str, convert: Callable[[], pa.Table]) -> pa.Table:
    """Return what the cache keeps of a conversion, else convert and keep it.

    The cache is no source of errors: a file that is damaged or cannot be written is as none.

    Args:
        name: the benchmark.
        sha256: of the source; with the code of this package it decides what is kept.
        convert: makes a table of the `graphs` contract.
    """
    path = cache_folder() / "converted" / f"{name}-{sha256[:32]}-{code_hash()}.parquet"
    with suppress(SnapError, OSError):
        table = read(path, "graphs")
        metadata = {k: v for k, v in table.schema.metadata.items() if k not in _OF_THE_FILE}
        return table.replace_schema_metadata(metadata)
    table = convert()
    with suppress(SnapError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # damaged, and so not recognised as one of ours
        write(table, path, "graphs", producer="snap-graphs")
        _forget_all_but(path, f"{name}-{sha256[:32]}-*.parquet")
    return table


def _forget_all_but(path: Path, pattern: str) -> None:
    """Remove what earlier versions of this package kept of the same source."""
    for other in path.parent.glob(pattern):
        if other != path:
            other.unlink(missing_ok=True)


@cache
def code_hash() -> str:
    """Return a hash of this package's code, on which what it makes depends."""
    return file_sha256(*sorted(Path(str(files("snap_graphs"))).rglob("*.py")))[:16]
