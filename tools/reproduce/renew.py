"""Renew what rests on the predictor or the encoder, after a change of either.

    uv run --all-groups python -m tools.reproduce.renew

Trains what is not trained yet, puts the bundled predictors with their vectors, figures and
calibration into the package, and replaces the tables of the documents by those that the measuring
tools print. Trained weights in the work folder are kept: remove them to train again. The text
between the tables is left to read again.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import click
from snap_catalog.console import say

from tools.pipeline import ROOT

STEPS = (
    ("predictor.md", "train.bundled"),
    ("predictor.md", "train.calibrate"),
    ("predictor.md", "measure.whole_networks"),
    ("predictor.md", "measure.unseen_operators"),
    ("predictor.md", "measure.few_labels"),
    ("predictor.md", "measure.adapted_intervals"),
    ("search.md", "measure.search nb201"),
    ("search.md", "measure.search mobile"),
    ("search.md", "measure.search tables"),
    ("search.md", "measure.found"),
)
"""Pages of `docs/`, and the commands that print their tables, in the order in which they build on
each other."""
_HEADING = re.compile(r"#+ ")


class Place(NamedTuple):
    """Where a table stands.

    Attributes:
        heading: the one above it.
        head: its own first line.
        before: how many tables under that heading begin alike before it.
    """

    heading: str
    head: str
    before: int = 0


def tables(text: str) -> Iterator[tuple[Place, int, int]]:
    """Yield the tables of a page of Markdown: each one's place, first line and line after it."""
    lines, heading = text.split("\n"), ""
    first = None
    seen: list[str] = []
    for number, line in enumerate([*lines, ""]):
        if line.startswith("|") and first is None:
            first = number
        elif not line.startswith("|") and first is not None:
            head = lines[first]
            yield Place(heading, head, seen.count(head)), first, number
            seen.append(head)
            first = None
        if _HEADING.match(line):
            heading, seen = line, []


def renewed(page: str, printed: str) -> str:
    """Return a page with the tables that were printed in place of those at the same places.

    A table that was printed above any heading goes where its first line stands.
    """
    source = printed.split("\n")
    fresh: Mapping[Place, list[str]] = {
        place: source[first:end] for place, first, end in tables(printed)
    }
    lines = page.split("\n")
    for place, first, end in reversed([*tables(page)]):
        anywhere = fresh.get(place._replace(heading=""), lines[first:end])
        lines[first:end] = fresh.get(place, anywhere)
    return "\n".join(lines)


@click.command()
def main() -> None:
    """Run the tools one after the other, and renew a page after each."""
    for name, command in STEPS:
        say(f"$ {command}")
        module, *words = command.split()
        process = [sys.executable, "-m", f"tools.{module}", *words]
        printed = subprocess.run(process, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        page = ROOT / "docs" / name
        page.write_text(renewed(page.read_text("utf-8"), printed.stdout), "utf-8")


if __name__ == "__main__":
    main()
