"""`snap-eval query`."""

from pathlib import Path

import click
from snap_catalog import SnapError
from snap_catalog.cli import json_option

from snap_eval.commands.options import PATH


@click.command()
@click.argument("statement", metavar="SQL")
@click.option(
    "--results",
    type=PATH,
    default=Path(),
    help="Folder of the Parquet files, the current one by default.",
)
@click.option("--db", type=PATH, help="DuckDB file of `correlate --db`, instead of a folder.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, not a table.")
@json_option
def query(statement: str, results: Path, db: Path | None, as_csv: bool, as_json: bool) -> None:
    """Answer a SELECT statement of SQL about the Parquet files of a folder, or a DuckDB file.

    The views graphs, scores, correlations, ... hold the rows of all files of that kind, and the
    file's name in the column `file`; the column `scorer` of scores names the scorer. The statement
    can read nothing else, and write nothing.
    """
    from snap_eval import show, sql

    if db and not db.is_file():
        raise SnapError(f"{db}: no such file; make it with correlate --db")
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    table = sql.query(db or results, statement)
    write = show.as_csv if as_csv else show.rows_as_json if as_json else show.rows
    click.echo(write(table), nl=not as_csv)
