"""SQL over result files: a single SELECT, which sees those files and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.scores import named

from snap_eval import store
from snap_eval.folder import read_folder
from snap_eval.plain import distinct, plain
from snap_eval.relations import CLOSED, first_line, interruptible

_SETTINGS: Mapping[str, Any] = {
    **CLOSED,
    # Arrow's own types hold neither unsigned 128-bit integers nor times with zones.
    "arrow_lossless_conversion": True,
}


def query(source: Path, sql: str) -> pa.Table:
    """Answer a question about the files of a folder, or about a DuckDB file of `--db`.

    The views `graphs`, `scores`, `correlations` and so on, one per contract, hold the rows of all
    files of the folder that keep it, with the file's name in the column `file`; the column
    `scorer` of `scores` names the scorer. Other tools may write to the folder meanwhile.

    Args:
        source: a folder of Parquet files, without the folders in it; or a DuckDB file.
        sql: one SELECT statement, as DuckDB understands it.

    Returns:
        The columns in the order of the statement, of which several may have one name; of the
        types that `plain` gives.

    Raises:
        SnapError: the folder has no file of the tools, a file is damaged, the SQL is wrong, or is
            anything but one SELECT over those views.
    """
    is_file = source.is_file()
    views = {} if is_file else _views(source)
    statement = _only_select(sql)
    with _database(source if is_file else None) as database:
        for name, table in views.items():
            database.register(name, table)
        database.execute("SET enable_progress_bar = false")  # which would go to standard output
        # The extension that knows time zones is loaded only now.
        database.execute("SET TimeZone = 'UTC'")
        database.execute("SET lock_configuration = true")
        try:
            answer = interruptible(database, lambda: database.sql(statement).to_arrow_table())
            return plain(answer)
        except duckdb.Error as error:
            names = ", ".join(views or [*store.KEYS, "joined", "ranked"])
            raise SnapError(f"{first_line(error)} (views: {names})") from error


def _database(file: Path | None) -> duckdb.DuckDBPyConnection:
    if file is None:
        return duckdb.connect(config=dict(_SETTINGS))
    return store.opened(file, _SETTINGS)


def _only_select(sql: str) -> str:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise SnapError(first_line(error)) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise SnapError(f"only one SELECT statement is allowed, but this is {kinds}: {sql!r:.200}")
    return sql


def _views(folder: Path) -> dict[str, pa.Table]:
    found: dict[str, list[pa.Table]] = {}
    for path, kind, table in read_folder(folder, nested=False):
        if kind is not None:
            rows = named(table, str(path)) if kind == "scores" else table
            found.setdefault(kind, []).append(_of_file(rows, path.name))
    if not found:
        raise SnapError(f"{folder}: no Parquet file of the SNAP tools is in it")
    return {kind: pa.concat_tables(t, promote_options="default") for kind, t in found.items()}


def _of_file(table: pa.Table, name: str) -> pa.Table:
    """Put the file's name before the columns; a column that is called `file` gets another name."""
    fields = [pa.field(field.name, field.type) for field in table.schema]
    names = pa.array([name] * len(table), pa.string())
    whole = table.cast(pa.schema(fields)).add_column(0, "file", names)
    return whole.rename_columns(distinct(whole.column_names))
