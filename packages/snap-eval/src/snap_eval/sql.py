"""SQL over a folder of result files: a single SELECT, which sees those files and nothing else."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.parquet import claim, read
from snap_catalog.schemas import Name

_CLOSED: Mapping[str, Any] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # Names of variables of this program are no tables.
    "python_enable_replacements": False,
    "temp_directory": "",
}


def query(folder: Path, sql: str) -> pa.Table:
    """Answer a question about the files of a folder.

    The views `graphs`, `scores`, `correlations` and so on, one a contract, hold the rows of all
    the files that keep it, with the file's name in the column `file`.

    Args:
        folder: where the Parquet files are; folders within it are not looked at.
        sql: one SELECT statement, as DuckDB understands it.

    Raises:
        SnapError: the folder has no file of the tools, one is damaged, the SQL is wrong, or is
            anything but one SELECT over those views.
    """
    views = _views(folder)
    statement = _only_select(sql)
    with duckdb.connect(config=dict(_CLOSED)) as connection:
        for name, table in views.items():
            connection.register(name, table)
        connection.execute("SET lock_configuration = true")
        try:
            return connection.sql(statement).to_arrow_table()
        except duckdb.Error as error:
            raise SnapError(f"{_first_line(error)} (views: {', '.join(views)})") from error


def _only_select(sql: str) -> str:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise SnapError(_first_line(error)) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise SnapError(f"only one SELECT statement is allowed, but this is {kinds}: {sql}")
    return sql


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]


def _views(folder: Path) -> dict[str, pa.Table]:
    found: dict[str, list[pa.Table]] = {}
    for file, kind in _files(folder):
        table = read(file, kind)
        names = pa.array([file.name] * len(table), pa.string())
        plain = pa.schema([pa.field(field.name, field.type) for field in table.schema])
        found.setdefault(kind, []).append(table.cast(plain).append_column("file", names))
    if not found:
        raise SnapError(f"{folder}: no Parquet file of the SNAP tools is in it")
    return {kind: pa.concat_tables(t, promote_options="default") for kind, t in found.items()}


def _files(folder: Path) -> Iterator[tuple[Path, Name]]:
    for file in sorted(folder.glob("*.parquet")):
        if kind := claim(file):
            yield file, kind
