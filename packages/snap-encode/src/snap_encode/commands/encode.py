"""`snap-encode encode`."""

from pathlib import Path

import click
from snap_catalog.catalog import Length
from snap_catalog.cli import out_option, quiet_option
from snap_catalog.console import say
from snap_catalog.definition import SUFFIX

from snap_encode.commands.options import length_option, model_option


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--space",
    "spaces",
    multiple=True,
    help="Encode the operators of a search space instead of FILE: a name from the catalog, such as "
    "nb201 or darts, or a TOML file (*.toml) that defines a space. Repeatable.",
)
@length_option
@model_option
@click.option(
    "--as-written",
    is_flag=True,
    help="Encode the words of FILE literally, without reading them as operators first.",
)
@out_option(shown_default="stem of FILE, or `operators`, with .parquet, in the current folder")
@quiet_option
def encode(
    file: Path | None,
    spaces: tuple[str, ...],
    length: Length | None,
    model: str,
    as_written: bool,
    out: Path | None,
    quiet: bool,
) -> None:
    """Encode the operators of FILE or of a search space.

    The vectors go to a Parquet file.

    FILE has one operator per line: `name<TAB>description`, or a description that is also the name.
    Blank lines and lines that begin with # are ignored. Each description is read before it is
    encoded, so that descriptions of the same operator get the same vector; descriptions that
    cannot be read are reported.
    """
    from snap_catalog import parquet
    from snap_catalog.readings import understood

    from snap_encode.operator_file import read_operators
    from snap_encode.tables import catalog_table, operator_table

    if (file is None) == (not spaces):
        raise click.UsageError("give either FILE or --space")
    if length is not None and all(space.endswith(SUFFIX) for space in spaces):
        raise click.UsageError("--length applies to --space NAME; a file holds its own")
    target = out or Path(f"{file.stem if file else 'operators'}.parquet")
    if target.resolve() in (Path(source).resolve() for source in (file, *spaces) if source):
        raise click.UsageError(f"{target}: is also the input; choose another output with -o")
    if as_written and file is None:
        raise click.UsageError("--as-written applies to FILE")
    descriptions = read_operators(file) if file else {}
    parquet.check_writable(target, "operators")
    if file:
        table = operator_table(descriptions, model, as_written=as_written, quiet=quiet)
    else:
        table = catalog_table(*spaces, length=length or "short", model=model, quiet=quiet)
    parquet.write(table, target, "operators", producer="snap-encode")
    say(f"{target}: {table.num_rows:,} operators", quiet=quiet)
    for each in understood(table):
        say(f"  {each}", quiet=quiet)
