"""Tables whose values Python, JSON and CSV can hold."""

from collections.abc import Iterator, Sequence
from itertools import count

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

_SIGNED = ("tinyint", "smallint", "integer", "bigint", "hugeint")
_UNSIGNED = ("utinyint", "usmallint", "uinteger", "ubigint")
_SCALARS = {"boolean", *_SIGNED, *_UNSIGNED, "float", "double", "decimal", "varchar"}
"""DuckDB's types whose values Arrow and Python hold exactly."""


def plain(table: pa.Table) -> pa.Table:
    """Write as text whatever values of a table Python may not hold.

    Args:
        table: an answer of DuckDB's, converted without loss.

    Returns:
        The same columns, of which several may have one name. They hold booleans, numbers, text,
        and lists and structs of these; values of all other types (dates, timestamps in UTC,
        intervals, blobs, ...) are text, as DuckDB writes it: `infinity`, `99999-01-01`.
    """
    numbered = table.rename_columns([f"c{place}" for place in range(table.num_columns)])
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        answer = database.from_arrow(numbered)
        casts = (
            f"CAST({name} AS {_plain(kind)}) AS {name}"
            for name, kind in zip(answer.columns, answer.types, strict=True)
        )
        found = answer.project(", ".join(casts)).to_arrow_table()
    return found.rename_columns(table.column_names)


def distinct(names: Sequence[str]) -> list[str]:
    """Return names of which none is there twice; the first of equal ones stays as it is."""
    found: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(1))
        free = (other for other in numbered if other not in names and other not in found)
        found.append(next(free) if name in found else name)
    return found


def _plain(kind: DuckDBPyType) -> str:
    """Return the type, in SQL, that values of a type are cast to."""
    if kind.id in _SCALARS:
        return str(kind)
    parts = dict(_parts(kind))
    if kind.id in ("list", "array"):
        return f"{parts['child']}[]"
    if kind.id == "struct" and parts:
        return f"STRUCT({', '.join(f'{quoted(name)} {part}' for name, part in parts.items())})"
    return "VARCHAR"


def _parts(kind: DuckDBPyType) -> Iterator[tuple[str, str]]:
    """Yield the name and the plain type of each part of a list, an array or a struct."""
    if kind.id in ("list", "array", "struct"):
        for name, part in kind.children:
            if isinstance(part, DuckDBPyType):  # rather than the length of an array
                yield name, _plain(part)


def quoted(name: str) -> str:
    """Return a name as SQL has it, whatever letters it holds."""
    return '"' + name.replace('"', '""') + '"'
