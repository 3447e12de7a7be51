"""`snap-eval query`."""

from pathlib import Path

import click

from snap_eval.commands.options import PATH, json_option


@click.command()
@click.argument("statement", metavar="SQL")
@click.option(
    "--results",
    type=PATH,
    default=Path(),
    help="Folder of the Parquet files, the current one by default.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, not a table.")
@json_option
def query(statement: str, results: Path, as_csv: bool, as_json: bool) -> None:
    """Answer a SELECT statement of SQL about the Parquet files of a folder.

    The views graphs, scores, correlations, ... hold the rows of all files of that kind, and the
    file's name in the column `file`; scores says in `scorer` whose each is. The statement can read
    nothing else, and write nothing.
    """
    from snap_eval import show, sql

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude one another")
    table = sql.query(results, statement)
    write = show.as_csv if as_csv else show.rows_as_json if as_json else show.rows
    click.echo(write(table), nl=not as_csv)
