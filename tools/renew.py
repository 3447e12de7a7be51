"""Renew what rests on the predictor or the encoder, after a change of either.

    uv run --all-groups tools/renew.py

Trains what is not trained yet, puts the bundled predictors with their vectors, figures and
calibration into the package, and replaces the tables of docs/predictor.md by those that the
measuring tools print. Trained weights in the work folder are kept: remove them to train again. The
text between the tables is left to read again.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click
from snap_catalog.console import say

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "predictor.md"
TOOLS = (
    "train_bundled.py",
    "calibrate.py",
    "whole_networks.py",
    "baselines.py",
    "unseen_operators.py",
)
"""In the order in which they build on each other; what they print holds the page's tables."""
_HEADING = re.compile(r"#+ ")


class Place(NamedTuple):
    """Where a table stands: the heading above it, and its own first line."""

    heading: str
    head: str


def tables(text: str) -> Iterator[tuple[Place, int, int]]:
    """Yield the tables of a page of Markdown: each one's place, first line and line after it."""
    lines, heading = text.split("\n"), ""
    first = None
    for number, line in enumerate([*lines, ""]):
        if line.startswith("|") and first is None:
            first = number
        elif not line.startswith("|") and first is not None:
            yield Place(heading, lines[first]), first, number
            first = None
        if _HEADING.match(line):
            heading = line


def renewed(page: str, printed: str) -> str:
    """Return a page with the tables that were printed in place of those at the same places."""
    source = printed.split("\n")
    fresh: Mapping[Place, list[str]] = {
        place: source[first:end] for place, first, end in tables(printed)
    }
    lines = page.split("\n")
    for place, first, end in reversed([*tables(page)]):
        lines[first:end] = fresh.get(place, lines[first:end])
    return "\n".join(lines)


@click.command()
def main() -> None:
    """Run the tools one after the other, and renew the page after each."""
    for tool in TOOLS:
        say(f"$ {tool}")
        command = [sys.executable, str(ROOT / "tools" / tool)]
        printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        PAGE.write_text(renewed(PAGE.read_text("utf-8"), printed.stdout), "utf-8")


if __name__ == "__main__":
    main()
