"""Measure how well zero-cost proxies rank networks, alone and together with the predictor.

    uv run --all-groups python -m tools.measure.proxies agreement

and likewise the other subcommands; their output is in docs/proxies.md. They read the scores that
`tools.reproduce --all` leaves in `build/results`.
"""

import click

from tools.measure.proxies.agreement import agreement
from tools.measure.proxies.labels import labels
from tools.measure.proxies.rankings import rankings


@click.group()
def main() -> None:
    """Measure zero-cost proxies; every subcommand prints Markdown tables."""


for command in (agreement, rankings, labels):
    main.add_command(command)


if __name__ == "__main__":
    main()
