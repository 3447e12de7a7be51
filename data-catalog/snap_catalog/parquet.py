"""Read, write and validate the Parquet files that the tools exchange."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq

from snap_catalog.casting import cast, contract_schema
from snap_catalog.columns import check_columns
from snap_catalog.errors import SnapError, is_short_of_memory
from snap_catalog.replaceable import check_alike, check_regular, refusal
from snap_catalog.replaceable import kind as kind_of
from snap_catalog.rules import RULES, check_key
from snap_catalog.schemas import Contract, Name, contract
from snap_catalog.versions import upgraded

COMPRESSION = "zstd"


def read(
    path: str | os.PathLike[str], name: Name, columns: Sequence[str] | None = None
) -> pa.Table:
    """Read a file and check it against its contract.

    Columns of another type than the contract's are cast if no value changes. Files of supported
    earlier versions are converted to the current version.

    Args:
        path: the Parquet file.
        name: the contract that the file must satisfy.
        columns: the columns to read; all of them if None. Others are not checked.
            Rows that differ only in an optional key column are refused if it is not read.

    Returns:
        The table; its schema's metadata holds what `metadata` decodes.

    Raises:
        SnapError: the file is missing, damaged, or breaks the contract.
    """
    table, rules = _load(path, columns), contract(name)
    check_metadata(table.schema, rules, str(path))
    with enough_memory(path):
        table = upgraded(table, rules, columns)
        table = cast(table, contract_schema(table, rules), str(path))
    validate(table, name, source=str(path), partial=columns)
    return table


def column_names(path: str | os.PathLike[str]) -> list[str]:
    """Return a file's columns without reading its rows.

    Raises:
        SnapError: the file is missing or damaged.
    """
    with readable(path), pq.ParquetFile(path) as file:
        names: list[str] = file.schema_arrow.names
    return names


def kind(path: str | os.PathLike[str]) -> Name:
    """Return the contract that a file declares.

    Raises:
        SnapError: the file is missing, damaged, or not a file of the SNAP tools.
    """
    found = claim(path)
    if found is None:
        raise SnapError(
            f"{path}: not a file of the SNAP tools (no known snap.schema); check the path"
        )
    return found


def claim(path: str | os.PathLike[str]) -> Name | None:
    """Return the contract that a file declares, None for files of other programs.

    Raises:
        SnapError: the file is missing or damaged.
    """
    with readable(path):
        found = decode_metadata(pq.read_schema(path)).get("snap.schema")
    return next((name for name in get_args(Name) if name == found), None)


def _load(path: str | os.PathLike[str], columns: Sequence[str] | None) -> pa.Table:
    with readable(path):
        with pq.ParquetFile(path) as file:
            table = file.read(columns=None if columns is None else list(columns))
        table.validate(full=True)
        _ = table.column_names  # which are decoded only now
    return table


@contextmanager
def readable(path: str | os.PathLike[str], kind: str = "Parquet file") -> Iterator[None]:
    """Raise a one-line error if a file is missing, damaged or too large for memory.

    Args:
        path: the file.
        kind: the expected kind of file.
    """
    try:
        with enough_memory(path):
            yield
    except FileNotFoundError as error:
        raise SnapError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise SnapError(
            f"{path}: not a readable {kind} ({reason}); repair or replace it"
        ) from error


@contextmanager
def enough_memory(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise a one-line error if reading a file runs out of memory."""
    try:
        yield
    except Exception as error:
        if not is_short_of_memory(error):
            raise
        raise SnapError(f"{path}: too little memory to read it; free some memory") from error


def write(
    table: pa.Table,
    path: str | os.PathLike[str],
    name: Name,
    *,
    producer: str,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Check a table against its contract and write it atomically.

    Metadata that the table already carries is kept.

    Args:
        table: the rows.
        path: the file to write; an existing file is replaced.
        name: the contract.
        producer: the distribution that made the table; its version is recorded.
        metadata: further metadata entries.

    Raises:
        SnapError: the table breaks the contract, or the file cannot be written.
    """
    stamped = table.replace_schema_metadata(
        stamps(table.schema, contract(name), producer, metadata or {})
    )
    check_metadata(stamped.schema, contract(name), str(path))
    validate(stamped, name, source=str(path))
    with replacing(path) as temporary:
        pq.write_table(stamped, temporary, compression=COMPRESSION)


def stamps(
    schema: pa.Schema, rules: Contract, producer: str, metadata: Mapping[str, str]
) -> dict[str, str]:
    """Return a schema's metadata with the entries that a contract requires."""
    return {
        **decode_metadata(schema),
        "snap.schema": rules.name,
        "snap.schema_version": str(rules.version),
        "snap.producer": f"{producer} {version(producer)}",
        **metadata,
    }


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary file, and rename it to `path` only if no error occurs.

    Yields:
        A path in the same folder with the same suffix, removed after a failure.

    Raises:
        SnapError: the folder is missing or not writable, or `path` is a file of another kind.
    """
    target = Path(path).resolve()
    check_regular(target)
    try:
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix
        )
        os.close(handle)
        temporary = Path(name)
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield temporary
        check_alike(target, temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str], name: Name | None = None) -> None:
    """Refuse a path that cannot be written, before the work whose result it is for.

    Args:
        path: a file or a new folder.
        name: the contract of the file; a file of another kind is not replaced.

    Raises:
        SnapError: the folder is missing or not writable, or a file of another kind exists.
    """
    target = Path(path)
    if name is not None:
        try:
            check_regular(target)
            exists = target.exists()
        except OSError as error:
            raise _cannot_write(target, error) from error
        if exists and target.stat().st_size and kind_of(target) != ("parquet", name):
            raise refusal(target)
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise _cannot_write(target, error) from error


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Create a folder if it is missing, and return it; its parent must exist.

    Raises:
        SnapError: it cannot be created.
    """
    folder = Path(path)
    if not folder.exists():
        check_writable(folder)
        folder.mkdir()
    return folder


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _cannot_write(target: Path, error: OSError) -> SnapError:
    reason = (error.strerror or str(error)).lower()
    return SnapError(f"{target}: cannot write here ({reason}); choose another path")


def decode_metadata(schema: pa.Schema) -> dict[str, str]:
    """Return a schema's `snap.*` metadata as text."""
    entries = schema.metadata or {}
    return {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in entries.items()
        if key.startswith(b"snap.")
    }


def validate(
    table: pa.Table, name: Name, *, source: str = "table", partial: Sequence[str] | None = None
) -> None:
    """Check columns, types, nulls, keys and contents of a table against a contract.

    Args:
        table: the rows.
        name: the contract.
        source: name of the table for errors.
        partial: if not None, only these columns are required.

    Raises:
        SnapError: names the source, the column and the invalid row.
    """
    rules = contract(name)
    check_columns(table, rules, source, partial)
    present = set(table.column_names)
    key = rules.key_of(present)
    if set(key) <= present:
        check_key(table, key, source)
    for rule in RULES.get(name, ()):
        if rule.columns <= present:
            rule.check(table, source)


def check_metadata(schema: pa.Schema, rules: Contract, source: str) -> None:
    """Refuse a file of another contract or version, or with missing metadata.

    Raises:
        SnapError: names the source and the problem.
    """
    entries = decode_metadata(schema)
    found, number = entries.get("snap.schema"), entries.get("snap.schema_version")
    if found != rules.name:
        kind = repr(found) if found else "none of the SNAP tools (no snap.schema)"
        raise SnapError(f"{source}: expected a file of kind {rules.name!r}, but this one is {kind}")
    if number not in [str(known) for known in range(rules.oldest, rules.version + 1)]:
        earlier = f"s {rules.oldest} to" if rules.oldest < rules.version else ""
        raise SnapError(
            f"{source}: version {number} of the {rules.name!r} contract, but this tool reads "
            f"version{earlier} {rules.version}; create it again or install the matching release"
        )
    for key in rules.metadata:
        if key not in entries:
            raise SnapError(f"{source}: metadata entry {key!r} is missing; create the file again")
