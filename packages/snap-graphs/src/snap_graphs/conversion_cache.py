"""Cache conversions of data packages."""

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
"""Metadata entries that writing a file adds."""


def once(name: str, sha256: str, convert: Callable[[], pa.Table]) -> pa.Table:
    """Return a conversion from the cache, or convert and cache it.

    Errors of the cache are ignored: a damaged file is replaced, and a failed write is skipped.

    Args:
        name: the benchmark.
        sha256: SHA-256 of the source; with the code of this package it is the key in the cache.
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
        path.unlink(missing_ok=True)  # a damaged file is not recognised as replaceable
        write(table, path, "graphs", producer="snap-graphs")
        for other in path.parent.glob(f"{name}-{sha256[:32]}-*.parquet"):
            if other != path:  # of another version of this package
                other.unlink(missing_ok=True)
    return table


@cache
def code_hash() -> str:
    """Return a hash of the code of this package."""
    return file_sha256(*sorted(Path(str(files("snap_graphs"))).rglob("*.py")))[:16]
