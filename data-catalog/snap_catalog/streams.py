"""Read and write files of the contracts in parts, for files larger than memory."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snap_catalog.casting import cast, contract_schema
from snap_catalog.columns import check_columns
from snap_catalog.parquet import (
    COMPRESSION,
    check_metadata,
    readable,
    replacing,
    stamps,
    validate,
)
from snap_catalog.rules import RowError, check_key
from snap_catalog.schemas import Name, contract
from snap_catalog.versions import upgraded

_ROW_GROUP = 2**17
"""Rows per write."""


class Part(NamedTuple):
    """Consecutive rows of a file.

    Attributes:
        first: the number of preceding rows.
        table: the rows.
    """

    first: int
    table: pa.Table


class Stream:
    """A file of a contract that is read part by part.

    Attributes:
        schema: the columns that are read, and the file's metadata.
        num_rows: how many rows the file has.
    """

    def __init__(
        self, path: str | os.PathLike[str], name: Name, columns: Sequence[str] | None = None
    ) -> None:
        """Read and check the file's schema and metadata.

        Args:
            path: the Parquet file.
            name: the contract that the file must satisfy.
            columns: the columns to read; all of them if None.

        Raises:
            SnapError: the file is missing or damaged, or breaks the contract.
        """
        self._path, self._name, self._columns = str(path), name, columns
        self._rules = contract(name)
        with readable(path), pq.ParquetFile(path) as file:
            present = file.schema_arrow.names
            self._present = present if columns is None else [c for c in columns if c in present]
            self.num_rows: int = file.metadata.num_rows
            head = _head(file, self._present)
        check_metadata(head.schema, self._rules, self._path)
        self._metadata = head.schema.metadata
        self._key = self._rules.key_of(self._present)
        self.schema = contract_schema(upgraded(head, self._rules, columns), self._rules)
        check_columns(self.schema.empty_table(), self._rules, self._path, columns)

    def parts(self, rows: int) -> Iterator[Part]:
        """Yield the file's rows, `rows` at a time, not yet checked by `check`.

        Only an 8-byte hash per key is kept in memory, to find repeated keys.

        Raises:
            SnapError: the file is damaged, or two rows share a key.
        """
        first, hashes = 0, []
        with readable(self._path), pq.ParquetFile(self._path) as file:
            for batch in file.iter_batches(rows, columns=self._present):
                table = pa.Table.from_batches([batch])
                table.validate(full=True)
                table = table.replace_schema_metadata(self._metadata)
                table = cast(upgraded(table, self._rules, self._columns), self.schema, self._path)
                hashes.append(self._hashes(table))
                yield Part(first, table)
                first += table.num_rows
        self._check_keys(np.concatenate([np.empty(0, np.int64), *hashes]))

    def check(self, part: Part) -> None:
        """Check the contents of a part; parts may be checked at the same time.

        Raises:
            SnapError: names the invalid row.
        """
        try:
            validate(part.table, self._name, source=self._path, partial=self._columns)
        except RowError as error:
            raise error.after(part.first) from None

    def _hashes(self, table: pa.Table) -> np.ndarray:
        if not set(self._key) <= set(table.column_names):
            return np.empty(0, np.int64)
        keys = zip(*(table[column].to_pylist() for column in self._key), strict=True)
        return np.fromiter(map(hash, keys), np.int64, table.num_rows)

    def _check_keys(self, hashes: np.ndarray) -> None:
        hashes.sort()
        if (hashes[1:] == hashes[:-1]).any():
            with readable(self._path):
                keys = pq.read_table(self._path, columns=list(self._key))
            keys = cast(keys, contract_schema(keys, self._rules), self._path)
            check_key(keys, self._key, self._path)


def _head(file: pq.ParquetFile, columns: list[str]) -> pa.Table:
    """Return the first row with the file's metadata; no row if there is none."""
    batch = next(file.iter_batches(1, columns=columns), None)
    if batch is None:
        return file.read(columns=columns)
    return pa.Table.from_batches([batch]).replace_schema_metadata(file.schema_arrow.metadata)


@contextmanager
def writing(
    path: str | os.PathLike[str], name: Name, schema: pa.Schema, *, producer: str
) -> Iterator[Callable[[pa.Table], None]]:
    """Write a file in parts, atomically.

    The caller must ensure that keys are unique.

    Args:
        path: the file to write; an existing file is replaced.
        name: the contract.
        schema: the columns, and metadata that is kept.
        producer: the distribution that makes the rows; its version is recorded.

    Yields:
        A function that takes the next rows.

    Raises:
        SnapError: rows or metadata break the contract, or the file cannot be written.
    """
    rules = contract(name)
    stamped = schema.with_metadata(stamps(schema, rules, producer, {}))
    check_metadata(stamped, rules, str(path))
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, stamped, compression=COMPRESSION) as writer,
    ):
        waiting = [stamped.empty_table()]

        def flush() -> None:
            writer.write_table(pa.concat_tables(waiting))
            del waiting[1:]

        def append(table: pa.Table) -> None:
            validate(table, name, source=str(path))
            waiting.append(table.replace_schema_metadata(stamped.metadata))
            if sum(part.num_rows for part in waiting) >= _ROW_GROUP:
                flush()

        yield append
        flush()
