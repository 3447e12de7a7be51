"""Cast columns that other programs wrote to a contract's types if no value changes.

polars writes `large_string`, pandas writes dictionaries and DuckDB writes decimals of equal values.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from snap_catalog.errors import SnapError
from snap_catalog.schemas import SCALARS, Column, Contract, item_type


def contract_schema(table: pa.Table, rules: Contract) -> pa.Schema:
    """Return a table's schema with the types that its columns have in a contract.

    Columns that the contract does not know, or whose values its type cannot hold, keep their own
    types. Metadata is kept, except entries that the Parquet format adds to a field.

    Args:
        table: the rows; the first one gives the length of vectors.
        rules: the contract.
    """
    known = {column.name: column for column in rules.columns}
    fields = [
        pa.field(field.name, _target(table.column(i), known.get(field.name), rules))
        for i, field in enumerate(table.schema)
    ]
    described = [
        field.with_metadata(_own_metadata(before))
        for field, before in zip(fields, table.schema, strict=True)
    ]
    return pa.schema(described, metadata=table.schema.metadata)


def cast(table: pa.Table, schema: pa.Schema, source: str) -> pa.Table:
    """Cast a table to a schema that `contract_schema` returned.

    Args:
        table: the rows.
        schema: the schema.
        source: name of the table for errors.

    Raises:
        SnapError: a value changes in the schema's type; names the source and the column.
    """
    columns = [
        _cast(values, field, source) for values, field in zip(table.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _target(values: pa.ChunkedArray, column: Column | None, rules: Contract) -> pa.DataType:
    if column is None:
        wanted = SCALARS["double"] if rules.open else values.type
    else:
        wanted = column.arrow(_length(values))
    return wanted if _holds_the_like(values.type, wanted) else values.type


def _length(values: pa.ChunkedArray) -> int:
    """Return the length of the first list, 0 if there is none."""
    if pt.is_fixed_size_list(values.type):
        return int(values.type.list_size)
    if item_type(values.type) is None or not len(values):
        return 0
    return pc.list_value_length(values.slice(0, 1))[0].as_py() or 0


def _holds_the_like(actual: pa.DataType, wanted: pa.DataType) -> bool:
    """Return whether both types hold text, or numbers, or times, or lists of these."""
    if pt.is_dictionary(actual):
        return _holds_the_like(actual.value_type, wanted)
    items = item_type(actual), item_type(wanted)
    if None not in items:
        return _holds_the_like(*items)
    return bool(
        pt.is_null(actual)
        or (is_text(actual) and is_text(wanted))
        or (is_number(actual) and is_number(wanted))
        or (_is_moment(actual) and _is_moment(wanted))
    )


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type holds text."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def is_number(kind: pa.DataType) -> bool:
    """Return whether a type holds integers, floating-point numbers or decimals."""
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))


def _is_moment(kind: pa.DataType) -> bool:
    """Return whether a type holds points in time, for which it must name a time zone."""
    return bool(pt.is_timestamp(kind) and kind.tz is not None)


def _own_metadata(field: pa.Field) -> dict[bytes, bytes] | None:
    entries = field.metadata or {}
    return {k: v for k, v in entries.items() if not k.startswith(b"PARQUET:")} or None


def _cast(values: pa.ChunkedArray, field: pa.Field, source: str) -> pa.ChunkedArray:
    if str(values.type) == str(field.type):  # which, unlike ==, compares the names of items
        return values
    try:
        if pt.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        changed = values.cast(field.type)
        fault = "" if _is_exact(values, changed) else "it would round some"
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        fault = str(error).splitlines()[0].rstrip(".")
    if fault:
        raise SnapError(
            f"{source}: column {field.name!r} is {values.type} and must be {field.type}, which "
            f"cannot hold its values ({fault}); write it as {field.type}"
        )
    return changed


def _items(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Flatten nested lists of any depth; other values are returned unchanged."""
    return values if item_type(values.type) is None else _items(pc.list_flatten(values))


def _is_exact(before: pa.ChunkedArray, after: pa.ChunkedArray) -> bool:
    """Return whether a cast kept floating-point values; Arrow checks all other casts."""
    given, made = (_items(values) for values in (before, after))
    if not pt.is_floating(made.type) or not (
        pt.is_floating(given.type) or pt.is_decimal(given.type)
    ):
        return True
    again = made.cast(given.type, safe=False)
    if pt.is_decimal(given.type):
        return bool(again.equals(given))
    return bool(np.array_equal(given.to_numpy(), again.to_numpy(), equal_nan=True))
