"""Read tables of users: CSV, gzipped CSV and Parquet."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt
from pyarrow import csv

from snap_catalog.casting import is_number, is_text
from snap_catalog.columns import refuse_repeated
from snap_catalog.errors import SnapError, excerpt
from snap_catalog.parquet import readable
from snap_catalog.unpacking import magic, open_bounded

TEXT_COLUMNS = frozenset(
    {"space", "arch_id", "arch", "hash", "module_hash", "cell_hash", "adj_upper", "ops"}
)
"""Columns that are always read as text: `001`, `1e5` and `true` are names there."""
_MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NULL", "null")
"""Texts that stand for a missing number in CSV files."""
_LARGEST_WHOLE = 2**53
"""Larger integers are not exact as doubles."""
_MANY_DIGITS = rf"^[+-]?\d{{{len(str(_LARGEST_WHOLE))},}}$"


def read_table(path: str | os.PathLike[str]) -> pa.Table:
    """Read a table in CSV, gzipped CSV or Parquet; the first bytes determine the format.

    A CSV column becomes integers or doubles if that type holds all its values, otherwise text.

    Raises:
        SnapError: the file is missing or damaged, or two columns have the same name.
    """
    source = Path(path)
    if is_parquet(source):
        with readable(path), pq.ParquetFile(path) as file:
            table = file.read()
            names = table.column_names  # which are decoded only now
    else:
        with readable(path, "CSV table"):
            names = _header(source)
            table = _read_texts(source, names)
    refuse_repeated(names, str(path))
    texts = [_text(values) for values in table.columns]
    if not is_parquet(source):
        texts = [v if n in TEXT_COLUMNS else _numbers(v) for n, v in zip(names, texts, strict=True)]
    return pa.table(texts, schema=_with_types(table.schema, texts))


def is_parquet(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins as Parquet files do.

    Raises:
        SnapError: it cannot be read.
    """
    return magic(Path(path)) == b"PAR1"


def identifiers(table: pa.Table, column: str, source: str) -> pa.ChunkedArray:
    """Return a column of names as text, exactly as written.

    Args:
        table: what `read_table` returned.
        column: its name. Integers in Parquet files become decimal digits.
        source: name of the table for errors.

    Raises:
        SnapError: the column holds another type, or a row has no name.
    """
    values = table[column]
    if not pt.is_integer(values.type) and not pt.is_string(values.type):
        raise SnapError(f"{source}: column {column!r} must hold text, not {values.type}")
    names = values.cast(pa.string())
    refuse_missing(_without_empty(names), column, source)
    return names


def _without_empty(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Replace empty texts by null, as CSV has no other null."""
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def refuse_missing(values: pa.ChunkedArray, column: str, source: str) -> None:
    """Refuse a column with a missing value.

    Args:
        values: the column.
        column: its name.
        source: name of the table for errors.

    Raises:
        SnapError: a value is null; names the first row.
    """
    place = pc.index(values.is_null(), True).as_py()
    if place >= 0:
        raise SnapError(
            f"{source}: row {place + 1}: column {column!r} is empty; fill it in or drop the row"
        )


def doubles(table: pa.Table, column: str, source: str) -> pa.ChunkedArray:
    """Return a column of numbers as doubles; missing values are null.

    Args:
        table: what `read_table` returned.
        column: its name.
        source: name of the table for errors.

    Raises:
        SnapError: the column holds another type, or an integer beyond 2**53, which no double holds
            exactly; names the row and the value.
    """
    values = table[column]
    if pt.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pt.is_string(values.type):
        values = _numbers(values)
    if pt.is_string(values.type):
        raise _no_double(values, column, source)
    if not is_number(values.type) and not pt.is_null(values.type):
        raise SnapError(
            f"{source}: column {column!r} holds {values.type}, not numbers; choose another"
        )
    try:
        return values.cast(pa.float64())
    except pa.ArrowInvalid:  # which Arrow raises for such whole numbers alone
        raise _no_double(values, column, source) from None


def _no_double(values: pa.ChunkedArray, column: str, source: str) -> SnapError:
    """Return the error that names the first value that no double holds."""
    row, value = next((i, v) for i, v in enumerate(values.to_pylist(), 1) if not _is_held(v))
    return SnapError(
        f"{source}: row {row}: column {column!r} holds {excerpt(value)}, which is not a number "
        "or too large for an exact double; correct it or leave it empty"
    )


def _is_held(value: str | int | float | None) -> bool:
    """Return whether a value of a table, or the number in its text, is exact as a double."""
    if isinstance(value, str):
        number = _numbers(pa.chunked_array([[value]]))[0].as_py()
        return not isinstance(number, str) and _is_held(number)
    return not isinstance(value, int) or abs(value) <= _LARGEST_WHOLE


def _header(path: Path) -> list[str]:
    with open_bounded(path) as stream, csv.open_csv(stream) as reader:
        names: list[str] = reader.schema.names
    return names


def _read_texts(path: Path, names: list[str]) -> pa.Table:
    texts = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    with open_bounded(path) as stream:
        return csv.read_csv(stream, convert_options=texts)


def _text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert text of any Arrow type to `string`; return other values unchanged."""
    kind = values.type.value_type if pt.is_dictionary(values.type) else values.type
    return values.cast(pa.string()) if is_text(kind) else values


def _numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert texts to numbers if all of them are numbers; otherwise return them unchanged."""
    trimmed = pc.utf8_trim_whitespace(texts)
    is_missing = pc.is_in(trimmed, pa.array(_MISSING))
    numbers = pc.if_else(is_missing, pa.scalar(None, pa.string()), trimmed)
    for kind in (pa.int64(), pa.float64()):
        try:
            values = numbers.cast(kind)
        except pa.ArrowInvalid:
            continue
        return texts if pt.is_floating(kind) and _changes(numbers, values) else values
    return texts


def _changes(texts: pa.ChunkedArray, values: pa.ChunkedArray) -> bool:
    """Return whether a text is an integer beyond 2**53, or became infinite."""
    infinite = pc.and_(pc.is_inf(values), pc.match_substring_regex(texts, r"\d"))
    many = texts.filter(pc.match_substring_regex(texts, _MANY_DIGITS))
    return pc.any(infinite).as_py() is True or any(map(_is_beyond, many.to_pylist()))


def _is_beyond(text: str) -> bool:
    digits = text.lstrip("+-0")
    return (len(digits), digits) > (len(str(_LARGEST_WHOLE)), str(_LARGEST_WHOLE))


def _with_types(schema: pa.Schema, columns: list[pa.ChunkedArray]) -> pa.Schema:
    fields = [f.with_type(c.type) for f, c in zip(schema, columns, strict=True)]
    return pa.schema(fields, metadata=schema.metadata)
