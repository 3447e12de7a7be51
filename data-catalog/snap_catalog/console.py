"""Command-line manners that all SNAP tools share."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click

from snap_catalog.errors import SnapError

_SECONDS_BETWEEN_LINES = 10.0


class OneLineErrors(click.Group):
    """A command group that tells expected failures in one line and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, turning `SnapError` into click's own error."""
        try:
            return super().invoke(ctx)
        except SnapError as error:
            raise click.ClickException(str(error)) from error


def say(message: str, *, quiet: bool = False) -> None:
    """Print one line to standard error, which keeps standard output for data."""
    if not quiet:
        click.echo(message, err=True)


class Advance(Protocol):
    """Reports progress."""

    def __call__(self, units: int, note: str = "") -> None:
        """Report units just finished, with a few words on how it goes."""


@contextmanager
def progress(task: str, total: int, *, quiet: bool = False) -> Iterator[Advance]:
    """Show how far a long step is: a bar on a terminal, a plain line now and then elsewhere.

    Args:
        task: what is being done, in a few words.
        total: number of units.
        quiet: show nothing.

    Yields:
        A function to call with the number of units just finished.
    """
    if quiet:
        yield lambda units, note="": None
    elif sys.stderr.isatty():
        with _bar(task, total) as advance:
            yield advance
    else:
        yield _lines(task, total)


@contextmanager
def _bar(task: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    ending = (TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, *ending, console=Console(stderr=True)) as bar:
        handle = bar.add_task(task, total=total, note="")
        yield lambda units, note="": bar.update(handle, advance=units, note=note)


def _lines(task: str, total: int) -> Advance:
    done, last = 0, time.monotonic()

    def advance(units: int, note: str = "") -> None:
        nonlocal done, last
        done += units
        if done >= total or time.monotonic() - last > _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(f"{task}: {done:,} of {total:,} {note}".rstrip())

    return advance
