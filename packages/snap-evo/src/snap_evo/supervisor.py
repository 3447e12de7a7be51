"""Run a program while the process that wants it lives, and end all processes that it started.

A script that imports nothing of snap-evo: `python -I -S supervisor.py PROGRAM [ARGUMENT ...]`. The
process that starts it holds the other end of its standard input. When that is closed, on purpose
or because the process died, the program is killed. When the program has ended, the processes that
it left behind are killed, on Linux also those in other sessions. Standard output then gets one JSON
object: `code`, the exit code, `said`, the end of what was printed, and `answered`, the end of
standard output; or `refused`, why the program could not be started.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

_KEPT = 2**16
"""Bytes kept of the end of what a program prints; the rest is read and dropped."""
_SECONDS_BETWEEN_LOOKS = 0.05
_PATIENCE = 5.0
"""Seconds to wait for killed processes; some we may not be permitted to kill."""
_PR_SET_CHILD_SUBREAPER = 36


def main(arguments: list[str]) -> None:
    """Run a program until it or standard input ends, and report on standard output."""
    _adopt_orphans()
    try:
        program = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        _answer({"refused": getattr(error, "strerror", None) or str(error)})
        return
    assert program.stdout is not None
    assert program.stderr is not None
    printed = _Printed(program.stdout, program.stderr)
    _watch(program, printed)
    code = program.poll()
    _end(program)
    printed.read_rest()
    said, answered = (end.decode(errors="replace") for end in (printed.said, printed.answered))
    _answer({"code": code, "said": said, "answered": answered})


def _answer(content: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any longer
        os.write(sys.stdout.fileno(), json.dumps(content).encode())


def _adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, if the system supports it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class _Printed:
    """The end of what a program prints.

    Attributes:
        said: the end of all output, in the order of reading.
        answered: the end of standard output.
        open: the pipes that the program has not closed.
    """

    def __init__(self, output: IO[bytes], errors: IO[bytes]) -> None:
        self.said = self.answered = b""
        self._output = output.fileno()
        self.open = [self._output, errors.fileno()]

    def read(self, pipe: int) -> bool:
        """Read a piece from a pipe; return whether there was one."""
        piece = os.read(pipe, _KEPT)
        self.said = (self.said + piece)[-_KEPT:]
        if pipe == self._output:
            self.answered = (self.answered + piece)[-_KEPT:]
        if not piece:
            self.open.remove(pipe)
        return bool(piece)

    def read_rest(self) -> None:
        """Read what is left in the pipes when nothing writes to them any longer."""
        for pipe in [*self.open]:
            os.set_blocking(pipe, False)
            with contextlib.suppress(BlockingIOError):
                while self.read(pipe):
                    pass


def _watch(program: "subprocess.Popen[bytes]", printed: _Printed) -> None:
    """Read what the program prints until it or standard input ends."""
    stdin = sys.stdin.fileno()
    while program.poll() is None:
        ready, _, _ = select.select([stdin, *printed.open], [], [], _SECONDS_BETWEEN_LOOKS)
        if stdin in ready:
            break
        for pipe in ready:
            printed.read(pipe)


def _end(program: "subprocess.Popen[bytes]") -> None:
    """Kill the program, if it still runs, and all that it started."""
    _kill(-program.pid)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for child in _children():
            _kill(child)
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            time.sleep(_SECONDS_BETWEEN_LOOKS / 10)


def _kill(process: int) -> None:
    """Kill a process, or the process group of a negative number."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)


def _children() -> list[int]:
    """Return the child processes; none if the system does not list them in /proc."""
    own, found = os.getpid(), []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == own:
                found.append(int(status.parent.name))
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
