"""The `snap-eval` command."""

import click
from snap_catalog.console import OneLineErrors

from snap_eval.commands.combine import combine
from snap_eval.commands.compare import compare
from snap_eval.commands.correlate import correlate
from snap_eval.commands.independence import independence
from snap_eval.commands.query import query
from snap_eval.commands.report import report


@click.group(cls=OneLineErrors)
@click.version_option(package_name="snap-eval")
def main() -> None:
    """Compare scores of architectures with measurements."""


for _command in (correlate, compare, independence, combine, query, report):
    main.add_command(_command)
