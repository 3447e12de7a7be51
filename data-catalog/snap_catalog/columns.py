"""Check a table's columns against a contract: names, types and nulls."""

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from snap_catalog.errors import SnapError
from snap_catalog.metrics import is_metric
from snap_catalog.schemas import Column, Contract, item_type


def check_columns(
    table: pa.Table, rules: Contract, source: str, required: Iterable[str] | None = None
) -> None:
    """Refuse missing, repeated and unknown columns, wrong types, and forbidden nulls.

    Args:
        table: the rows.
        rules: the contract.
        source: name of the table for errors.
        required: the columns that must exist; all non-optional ones if None.

    Raises:
        SnapError: names the source, the column and its type.
    """
    present = set(table.column_names)
    refuse_repeated(table.column_names, source)
    named = {column.name: column for column in rules.columns}
    needed = set(named if required is None else required)
    for column in rules.columns:
        if column.name in present:
            _check_column(table, column, source)
        elif column.name in needed and not column.optional:
            raise SnapError(f"{source}: column {column.name!r} ({column.type}) is missing")
    for name in present - named.keys():
        _check_open(table.schema.field(name), rules, source)


def refuse_repeated(names: Iterable[str], source: str) -> None:
    """Refuse columns with the same name.

    Raises:
        SnapError: names the source and the column.
    """
    for name, times in Counter(names).items():
        if times > 1:
            raise SnapError(f"{source}: {times} columns are called {name!r}; rename all but one")


def _check_column(table: pa.Table, column: Column, source: str) -> None:
    values = table[column.name]
    if not column.accepts(values.type):
        raise SnapError(
            f"{source}: column {column.name!r} must be {column.type}, but is {values.type}"
        )
    if not column.nullable and _has_nulls(values):
        raise SnapError(
            f"{source}: column {column.name!r} ({column.type}) has nulls; fill or drop those rows"
        )


def _has_nulls(values: pa.ChunkedArray) -> bool:
    """Return whether values, or at any depth the items of their lists, are null."""
    if values.null_count:
        return True
    return item_type(values.type) is not None and _has_nulls(pc.list_flatten(values))


def _check_open(field: pa.Field, rules: Contract, source: str) -> None:
    if rules.open is None:
        raise SnapError(
            f"{source}: column {field.name!r} is not part of a {rules.name!r} file; drop it"
        )
    if field.type != pa.float64():
        raise SnapError(f"{source}: column {field.name!r} must be double, but is {field.type}")
    if rules.open != "metric":
        return
    if not is_metric(field.name):
        raise SnapError(
            f"{source}: column {field.name!r} is not a metric name "
            "(<dataset>/<split>/<metric>[@<epochs>][#<repeat>])"
        )
    if (field.metadata or {}).get(b"direction") not in (b"max", b"min"):
        raise SnapError(
            f"{source}: metric column {field.name!r} must carry the field metadata "
            "'direction' (max or min)"
        )
