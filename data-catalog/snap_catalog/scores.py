"""Split a table of scores by scorer."""

import pyarrow as pa
import pyarrow.compute as pc

from snap_catalog.errors import SnapError
from snap_catalog.parquet import decode_metadata
from snap_catalog.rules import check_key
from snap_catalog.schemas import contract

NO_SCORE = -1e8
"""Sentinel for a missing score, such as a proxy that is not finite.

NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022) writes it into its tables.
"""


def by_scorer(table: pa.Table, source: str = "scores") -> dict[str, pa.Table]:
    """Split scores by scorer.

    Args:
        table: rows of the `scores` contract, or some of its columns: `scorer` if the file has it.
        source: name of the table for errors.

    Returns:
        The rows of each scorer, in the order of first appearance, without the column `scorer`. The
        metadata entry `snap.scorer` is the name, also for a table without rows.

    Raises:
        SnapError: as `named`.
    """
    whole = named(table, source)
    metadata = whole.schema.metadata
    return {
        name: whole.filter(pc.equal(whole["scorer"], name))
        .drop_columns("scorer")
        .replace_schema_metadata({**metadata, b"snap.scorer": name.encode()})
        for name in whole["scorer"].unique().to_pylist() or [_scorer(table, source)]
    }


def named(table: pa.Table, source: str = "scores") -> pa.Table:
    """Return scores with the scorer of every row in the column `scorer`.

    Args:
        table: as for `by_scorer`.
        source: name of the table for errors.

    Raises:
        SnapError: the metadata name no scorer; or they name several and a row names none; or a
            scorer has two scores for one architecture.
    """
    name = _scorer(table, source)
    if "scorer" not in table.column_names:
        return table.append_column("scorer", pa.repeat(name, table.num_rows))
    column = table["scorer"]
    if not column.null_count:
        return table
    others = set(column.unique().to_pylist())
    if name not in others and others & set(name.split(", ")):
        row = pc.index(column.is_null(), True).as_py() + 1
        raise SnapError(f"{source}: row {row}: column 'scorer' is empty; name one of {name}")
    place = table.column_names.index("scorer")
    whole = table.set_column(place, "scorer", pc.fill_null(column, name))
    key = contract("scores").key
    if set(key) <= set(whole.column_names):
        check_key(whole, key, source)
    return whole


def several(table: pa.Table) -> str:
    """Return the scorers in the column `scorer` of any table; an empty text for fewer than two.

    For readers of tables without a contract that accept one scorer only.
    """
    values = table["scorer"].to_pylist() if "scorer" in table.column_names else []
    names = dict.fromkeys(map(str, values))
    return ", ".join(names) if len(names) > 1 else ""


def _scorer(table: pa.Table, source: str) -> str:
    name = decode_metadata(table.schema).get("snap.scorer")
    if name is None:
        raise SnapError(
            f"{source}: metadata entry 'snap.scorer' is missing; set it to the name of the scorer"
        )
    return name
