"""What all five tools do alike at the command line."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

import pytest

TOOLS = ("snap_graphs", "snap_encode", "snap_gcn", "snap_evo", "snap_eval")
COMMANDS = [
    (tool, command)
    for tool in TOOLS
    for command in sorted(import_module(f"{tool}.cli").main.commands)
]

_RUN = """
import signal, sys
# A shell has the signal ignored in what it runs in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
from {tool}.cli import main
"""
_WAITING = """
import time
command = main.commands[sys.argv[1]]
command.params = []
command.callback = lambda: (print("begun", flush=True), time.sleep(600))
"""


@contextmanager
def start(
    tool: str, setup: str, *arguments: str, stdin: int | None = None, stdout: IO[str] | int = PIPE
) -> Iterator[Popen[str]]:
    """Run a tool, which does not outlive the test."""
    command = [sys.executable, "-c", f"{_RUN.format(tool=tool)}{setup}main()", *arguments]
    with Popen(command, stdin=stdin, stdout=stdout, stderr=PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("tool", TOOLS)
def test_ctrl_c_exits_with_130_and_says_nothing_in_every_subcommand(tool: str) -> None:
    for command in (name for known, name in COMMANDS if known == tool):
        with start(tool, _WAITING, command) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            process.send_signal(signal.SIGINT)
            printed = process.communicate(timeout=60)
        assert (process.returncode, *printed) == (130, "", ""), command


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("tool", TOOLS)
def test_a_full_standard_output_is_one_line(tool: str) -> None:
    with Path("/dev/full").open("w") as full, start(tool, "", "--help", stdout=full) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == (
        "Error: cannot write the output (no space left on device); free some space or redirect it\n"
    )


@pytest.mark.parametrize("tool", TOOLS)
def test_a_closed_pipe_ends_the_tool_without_a_word(tool: str) -> None:
    with start(tool, "sys.stdin.readline()\n", "--help", stdin=PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate("\n", timeout=60)
    assert (process.returncode, errors) == (1, "")
