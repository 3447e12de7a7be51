"""Measure what searches find, and how long they take.

    uv run --all-groups python -m tools.measure.search nb201

and likewise the other subcommands; what they print is in docs/search.md.
"""

import click

from tools.measure.search.mobile import mobile
from tools.measure.search.nb201 import nb201
from tools.measure.search.tables import tables


@click.group()
def main() -> None:
    """Measure searches; every subcommand prints Markdown tables."""


for command in (nb201, mobile, tables):
    main.add_command(command)


if __name__ == "__main__":
    main()
