"""Parquet files with too many rows to read, which are scanned."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from snap_catalog import parquet
from snap_catalog.casting import cast, contract_schema
from snap_catalog.schemas import Name, contract
from snap_catalog.tables import is_parquet
from snap_catalog.versions import upgraded

LARGE = 5_000_000
"""Files of more rows than this are scanned."""


class Relation(NamedTuple):
    """Rows of files that are scanned.

    Attributes:
        sql: the relation in SQL.
        files: the Parquet files that it reads.
    """

    sql: str
    files: tuple[str, ...]


def is_large(file: str) -> bool:
    """Return whether a file is scanned rather than read."""
    if not is_parquet(file):
        return False
    with parquet.readable(file), pq.ParquetFile(file) as opened:
        return bool(opened.metadata.num_rows > LARGE)


def scan(files: Sequence[str], columns: str = "*") -> Relation:
    """Return columns, in SQL, of the rows of Parquet files."""
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    rows = f"read_parquet([{quoted}], union_by_name = true)"
    return Relation(f"(SELECT {columns} FROM {rows})", tuple(files))


def columns_of(file: str, name: Name) -> pa.Table:
    """Check the metadata and the columns of a file of a contract; return it without its rows.

    Raises:
        SnapError: the file is of another contract or version, or a column is missing or of another
            type.
    """
    with parquet.readable(file):
        empty = pq.read_schema(file).empty_table()
    rules = contract(name)
    parquet.check_metadata(empty.schema, rules, file)
    empty = upgraded(empty, rules)
    empty = cast(empty, contract_schema(empty, rules), file)
    parquet.validate(empty, name, source=file)
    return empty
