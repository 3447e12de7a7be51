"""The command `snap-encode`."""

import click
from click_default_group import DefaultGroup
from snap_catalog.console import OneLineErrors

from snap_encode.commands.compare import nearest, similarity
from snap_encode.commands.encode import encode
from snap_encode.commands.read import read
from snap_encode.commands.tune import export, tune


class _Group(OneLineErrors, DefaultGroup):  # type: ignore[misc]
    """Runs `encode` if no subcommand is given."""


@click.group(cls=_Group, default="encode", default_if_no_args=True)
@click.version_option(package_name="snap-encode")
def main() -> None:
    """Encode descriptions of neural network operators as vectors.

    `snap-encode ops.txt` is short for `snap-encode encode ops.txt`; see `snap-encode encode --help`
    for its options.
    """


for command in (encode, read, similarity, nearest, tune, export):
    main.add_command(command)
