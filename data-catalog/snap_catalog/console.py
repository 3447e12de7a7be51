"""Command-line manners that all SNAP tools share."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
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
def progress(task: str, total: int, *, done: int = 0, quiet: bool = False) -> Iterator[Advance]:
    """Show how far a long step is: a bar on a terminal, a plain line now and then elsewhere.

    Args:
        task: what is being done, in a few words.
        total: number of units.
        done: number of those that an earlier run finished.
        quiet: show nothing.

    Yields:
        A function to call with the number of units just finished.
    """
    if quiet:
        yield lambda units, note="": None
    elif sys.stderr.isatty():
        with _bar(task, total, done) as advance:
            yield advance
    else:
        yield _lines(task, total, done)


@contextmanager
def _bar(task: str, total: int, done: int) -> Iterator[Advance]:
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
        handle = bar.add_task(task, total=total, completed=done, note="")
        yield lambda units, note="": bar.update(handle, advance=units, note=note)


def _lines(task: str, total: int, done: int) -> Advance:
    before, begin = done, time.monotonic()
    last = begin

    def advance(units: int, note: str = "") -> None:
        nonlocal done, last
        done += units
        now = time.monotonic()
        if done >= total or now - last > _SECONDS_BETWEEN_LINES:
            last = now
            left = (now - begin) * (total - done) / max(done - before, 1)
            told = f", {timedelta(seconds=round(left))} left" if done < total else ""
            say(f"{task}: {done:,} of {total:,}{told} {note}".rstrip())

    return advance
