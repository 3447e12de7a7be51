"""The command `snap-evo`."""

import click
from snap_catalog.console import OneLineErrors

from snap_evo.commands.architecture import build, export
from snap_evo.commands.compare import compare
from snap_evo.commands.run import resume, run
from snap_evo.commands.score import score
from snap_evo.commands.session import ask, start, tell
from snap_evo.commands.train import train


@click.group(cls=OneLineErrors)
@click.version_option(package_name="snap-evo")
def main() -> None:
    """Search spaces of neural network cells with any scorer."""


for command in (run, resume, start, ask, tell, compare, score, build, train, export):
    main.add_command(command)
