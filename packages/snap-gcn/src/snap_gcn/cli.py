"""The command `snap-gcn`."""

import click
from snap_catalog.console import OneLineErrors

from snap_gcn.commands.adapt import adapt
from snap_gcn.commands.fit import fit
from snap_gcn.commands.models import card, convert, export
from snap_gcn.commands.predict import predict


@click.group(cls=OneLineErrors)
@click.version_option(package_name="snap-gcn")
def main() -> None:
    """Rank architectures with a graph convolutional network."""


for command in (fit, adapt, predict, card, export, convert):
    main.add_command(command)
