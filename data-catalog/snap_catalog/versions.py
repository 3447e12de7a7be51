"""Convert files of earlier versions of a contract to the current version."""

from collections.abc import Sequence

import pyarrow as pa

from snap_catalog.schemas import Contract

_VERSION = b"snap.schema_version"


def upgraded(table: pa.Table, rules: Contract, wanted: Sequence[str] | None = None) -> pa.Table:
    """Convert a table of any readable version to the current version.

    Required columns that later versions introduced become null; optional ones stay absent.

    Args:
        table: the rows; the metadata name a readable version.
        rules: the contract.
        wanted: the columns to read; all if None.
    """
    metadata = table.schema.metadata
    version = int(metadata[_VERSION])
    if version == rules.version:
        return table
    for column in rules.columns:
        is_read = wanted is None or column.name in wanted
        is_new = column.since > version and column.name not in table.column_names
        if is_read and is_new and not column.optional:
            nulls = pa.nulls(table.num_rows, column.arrow(0))
            table = table.append_column(column.name, nulls)
    return table.replace_schema_metadata({**metadata, _VERSION: str(rules.version)})
