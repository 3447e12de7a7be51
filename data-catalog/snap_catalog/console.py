"""Command-line behaviour that all SNAP tools share: one-line errors, messages and progress."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import click

from snap_catalog.errors import SnapError, is_short_of_memory, one_line
from snap_catalog.imports import keep_pandas_from_pyarrow

if TYPE_CHECKING:
    from rich.progress import Task, TimeRemainingColumn

INTERRUPTED = 130
"""Exit status after Ctrl-C, as in shells: 128 plus the number of SIGINT."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of writing to a full disk or device."""
_SECONDS_BETWEEN_LINES = 10.0
_BATCHES_BEFORE_ESTIMATE = 2
"""Batches before the remaining time is shown, as the first one includes warming up."""


class OneLineErrors(click.Group):
    """A command group that reports expected failures in one line and exits with 1.

    Expected failures are `SnapError`, too little memory, and a full disk or standard output. Ctrl-C
    exits with 130 and prints nothing; each command reports what it kept.
    """

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line, and report a full disk or standard output in one line."""
        keep_pandas_from_pyarrow()
        try:
            return super().main(*args, **extra)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            reason = (error.strerror or str(error)).lower()
            say(f"Error: cannot write the output ({reason}); free some space or redirect it")
            _discard_output()
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, turning expected failures into click's own error."""
        try:
            return super().invoke(ctx)
        except SnapError as error:
            raise click.ClickException(one_line(str(error))) from error
        except click.ClickException as error:
            vars(error)["message"] = one_line(error.message)  # which click declares final
            raise
        except RecursionError as error:
            raise click.ClickException("an input is nested too deeply; flatten it") from error
        except Exception as error:
            if not is_short_of_memory(error):
                raise
            raise click.ClickException("out of memory; free some, or use smaller inputs") from error
        except KeyboardInterrupt as interrupt:
            raise click.exceptions.Exit(INTERRUPTED) from interrupt


def _discard_output() -> None:
    """Redirect standard output to the null device, so that flushing it at exit cannot fail."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())


def counted(count: int, noun: str, plural: str = "") -> str:
    """Format a count with its noun: `1 cell`, `2,000 cells`.

    Args:
        count: the number.
        noun: the singular.
        plural: the plural; the noun with an s if empty.
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def say(message: str, *, quiet: bool = False) -> None:
    """Print one line to standard error; standard output is for data."""
    if not quiet:
        click.echo(message, err=True)


class Advance(Protocol):
    """Reports progress."""

    def __call__(self, units: int, note: str = "") -> None:
        """Report finished units, with an optional short note."""


@contextmanager
def progress(
    task: str, total: int | None, *, done: int = 0, quiet: bool = False
) -> Iterator[Advance]:
    """Show the progress of a long step: a bar on a terminal, plain lines elsewhere.

    Args:
        task: name of the step.
        total: number of units; None if unknown.
        done: number of units that an earlier run finished.
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
def _bar(task: str, total: int | None, done: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    ending = (_time_left(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, *ending, console=Console(stderr=True)) as bar:
        handle = bar.add_task(task, total=total, completed=done, note="", batches=0)
        batches = 0

        def advance(units: int, note: str = "") -> None:
            nonlocal batches
            batches += units > 0
            bar.update(handle, advance=units, note=note, batches=batches)

        yield advance


def _time_left() -> "TimeRemainingColumn":
    """Return a column that shows the time left as soon as it can be estimated."""
    from rich.progress import TimeRemainingColumn
    from rich.text import Text

    class TimeLeft(TimeRemainingColumn):
        def render(self, task: "Task") -> Text:
            if task.fields["batches"] < _BATCHES_BEFORE_ESTIMATE and not task.finished:
                return Text("")
            return super().render(task)

    return TimeLeft()


def _lines(task: str, total: int | None, done: int) -> Advance:
    before, begin, batches = done, time.monotonic(), 0
    last = begin

    def left(now: float) -> str:
        if total is None or done >= total or batches < _BATCHES_BEFORE_ESTIMATE:
            return ""
        seconds = (now - begin) * (total - done) / max(done - before, 1)
        return f", {timedelta(seconds=round(seconds))} left"

    def advance(units: int, note: str = "") -> None:
        nonlocal done, last, batches
        done += units
        batches += units > 0
        now = time.monotonic()
        finished = total is not None and done >= total
        if finished or now - last > _SECONDS_BETWEEN_LINES:
            last = now
            of_all = "" if total is None else f" of {total:,}{left(now)}"
            say(f"{task}: {done:,}{of_all} {note}".rstrip())

    return advance
