"""The command `snap-encode`."""

from pathlib import Path
from typing import get_args

import click
from click_default_group import DefaultGroup
from snap_catalog import operators
from snap_catalog.catalog import Length
from snap_catalog.console import OneLineErrors, say

from snap_encode.models import DEFAULT_MODEL


class _Group(OneLineErrors, DefaultGroup):  # type: ignore[misc]
    """Runs `encode` where no subcommand is named."""


@click.group(cls=_Group, default="encode", default_if_no_args=True)
@click.version_option(package_name="snap-encode")
def main() -> None:
    """Turn what is said of neural network operators into vectors.

    `snap-encode ops.txt` is short for `snap-encode encode ops.txt`; `snap-encode encode --help`
    tells the options.
    """


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--space",
    "spaces",
    multiple=True,
    type=click.Choice(list(operators())),
    help="Encode the operators of a catalogued search space instead of a file; may be repeated.",
)
@click.option(
    "--length",
    type=click.Choice(get_args(Length)),
    help="Which description of a catalogued operator to encode.  [default: short]",
)
@click.option(
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    help="A sentence-transformers model: a folder, or a name on the Hugging Face hub.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="The file to write.  [default: FILE's stem, or `operators`, with .parquet, in the "
    "current folder]",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def encode(
    file: Path | None,
    spaces: tuple[str, ...],
    length: Length | None,
    model: str,
    out: Path | None,
    quiet: bool,
) -> None:
    """Encode the operators of FILE, or of a catalogued space, to a Parquet file.

    FILE has one operator a line, `name<TAB>description` or just a description, which is then its
    name too. Blank lines and lines that begin with # are left out.
    """
    if (file is None) == (not spaces):
        raise click.UsageError("Give either FILE or --space.")
    if file is not None and length is not None:
        raise click.UsageError("--length goes with --space: FILE holds the descriptions.")
    target = out or Path(f"{file.stem if file else 'operators'}.parquet")
    if file is not None and file.resolve() == target.resolve():
        raise click.UsageError(f"{target} is the file to read; choose another output with -o.")
    _encode(file, spaces, length or "short", model, target, quiet)


def _encode(
    file: Path | None,
    spaces: tuple[str, ...],
    length: Length,
    model: str,
    target: Path,
    quiet: bool,
) -> None:
    from snap_catalog import parquet

    from snap_encode.listing import read_operators
    from snap_encode.tables import catalog_table, operator_table

    descriptions = read_operators(file) if file else {}
    parquet.check_writable(target)
    say(f"Loading {model}", quiet=quiet)
    if file:
        table = operator_table(descriptions, model, quiet=quiet)
    else:
        table = catalog_table(*spaces, length=length, model=model, quiet=quiet)
    parquet.write(table, target, "operators", producer="snap-encode")
    say(f"{target}: {table.num_rows:,} operators", quiet=quiet)
