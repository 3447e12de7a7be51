"""Run a user's program without a shell and without leaving processes behind."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Collection, Mapping

from snap_catalog import SnapError

from snap_evo import supervisor
from snap_evo.defaults import LONGEST

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s:(.*)", flags=re.ASCII | re.DOTALL)


class ProgramError(Exception):
    """A program failed."""

    def __init__(self, problem: str, remedy: str = "fix the program") -> None:
        """Take the predicate of a sentence about the program, and what to do."""
        super().__init__(problem)
        self.remedy = remedy


class NotStartedError(ProgramError):
    """A program cannot be started at all."""


class Program:
    """A program to run without a shell, in whose arguments placeholders stand for values.

    Attributes:
        name: the program.
        placeholders: those that its arguments hold.
    """

    def __init__(self, command: str, seconds: float, placeholders: Collection[str]) -> None:
        """Parse a command line.

        Args:
            command: program and arguments, quoted as for a shell.
            seconds: time limit of a run.
            placeholders: texts, such as `{input}`, that may stand for values.

        Raises:
            SnapError: a quote is not closed, or systems cannot keep the time limit.
        """
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise SnapError(f"command {command!r}: {error}; quote as for a shell") from error
        if not 0 < seconds <= LONGEST:
            raise SnapError(f"command {command!r}: give it more than 0 s and {LONGEST:g} at most")
        self._seconds, self.name = seconds, next(iter(self._arguments), "")
        self.placeholders = {p for p in placeholders if any(p in a for a in self._arguments[1:])}

    def run(self, values: Mapping[str, str]) -> str:
        """Run the program, end all that it started, and return the end of its standard output.

        Args:
            values: by placeholder the text to put in its place.

        Raises:
            NotStartedError: it cannot be started.
            ProgramError: it took too long, was killed, or exited with an error.
        """
        arguments = [*self._arguments]
        for placeholder, value in values.items():
            arguments = [argument.replace(placeholder, value) for argument in arguments]
        answer = _answer(arguments, self._seconds)
        if "refused" in answer:
            reason = str(answer["refused"]).lower()
            raise NotStartedError(f"cannot be started ({reason})", "install it or give its path")
        if answer["code"]:
            said = last_line(str(answer["said"])) or "nothing"
            raise ProgramError(f"ended with exit code {answer['code']} ({said:.200})")
        return str(answer["answered"])


def split_seconds(text: str, default: float) -> tuple[str, float]:
    """Return the program of `3600s:PROGRAM`, and its time limit or the default."""
    limited = _SECONDS.fullmatch(text)
    return (limited[2], float(limited[1])) if limited else (text, default)


def last_line(text: str) -> str:
    """Return the last line that is not blank, without control characters."""
    lines = ("".join(c if c.isprintable() else " " for c in line) for line in text.splitlines())
    return next((line.strip() for line in reversed([*lines]) if line.strip()), "")


def _answer(arguments: list[str], seconds: float) -> dict[str, object]:
    """Run the program, end all that it started, and return the report of `supervisor`."""
    read, write = os.pipe()
    with (
        os.fdopen(read) as stdin,
        os.fdopen(write, "w") as held,
        subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches this process alone
        ) as process,
    ):
        try:
            report, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise ProgramError(
                f"was not done after {seconds:g} s and was stopped",
                "fix it or allow more, as in command:3600s:PROGRAM",
            ) from error
        finally:
            held.close()
            process.communicate()  # not `wait`: it may be waiting for us to read its report
    if not report:
        raise ProgramError("was killed", "check whether memory is short")
    answer: dict[str, object] = json.loads(report)
    return answer
