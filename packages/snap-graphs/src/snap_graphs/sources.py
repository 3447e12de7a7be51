"""Find and read the files that benchmarks come in."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from snap_catalog import Benchmark, SnapError

_TEXT_COLUMNS = ("arch", "adj_upper", "ops", "hash")
"""Columns that must not be guessed to be numbers: leading zeros count, and `ops` may be empty."""


def read_source(path: Path, needed: Sequence[str]) -> pa.Table:
    """Read a table in CSV, gzipped CSV or Parquet.

    Args:
        path: the file; its first bytes tell what it is.
        needed: columns it must have.

    Raises:
        SnapError: the file is missing, damaged, or lacks a column.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        table = pq.read_table(path) if is_parquet else _read_csv(path)
    except FileNotFoundError as error:
        raise SnapError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise SnapError(f"{path}: not a readable CSV or Parquet table ({reason})") from error
    for column in needed:
        if column not in table.column_names:
            raise SnapError(
                f"{path}: column {column!r} is missing; there are {', '.join(table.column_names)}"
            )
        if table[column].null_count:
            raise SnapError(f"{path}: column {column!r} has empty cells and may not")
    return table


def _read_csv(path: Path) -> pa.Table:
    text = pa_csv.ConvertOptions(column_types=dict.fromkeys(_TEXT_COLUMNS, pa.string()))
    with path.open("rb") as file:
        compression = "gzip" if file.read(2) == b"\x1f\x8b" else None
    with pa.input_stream(path, compression=compression) as stream:
        return pa_csv.read_csv(stream, convert_options=text)


def installed_file(facts: Benchmark) -> Path:
    """Locate a benchmark's file in its installed data package, without importing the package.

    Raises:
        SnapError: the package is not installed, or the file is not the catalogued one.
    """
    expected = facts.files[0]
    try:
        path = Path(str(distribution(str(facts.package)).locate_file(expected.name)))
    except PackageNotFoundError as error:
        raise SnapError(
            f"the data package {facts.package} is not installed; run: pip install {facts.package}"
        ) from error
    if not path.is_file():
        raise SnapError(f"{path}: no such file; run: pip install --force-reinstall {facts.package}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected.sha256:
        raise SnapError(
            f"{path}: SHA-256 is {found}, not the catalogued {expected.sha256}; "
            f"run: pip install --force-reinstall {facts.package}"
        )
    return path
