"""Run a tool of the workspace."""

import shlex
import subprocess
from collections.abc import Sequence

from snap_catalog import SnapError
from snap_catalog.console import say


def tool(command: Sequence[str], *, quiet: bool = False) -> None:
    """Run a command, and show it.

    Args:
        command: its words.
        quiet: hide what it prints on standard output.

    Raises:
        SnapError: it failed; it has told why.
    """
    say(f"$ {shlex.join(command)}")
    output = subprocess.DEVNULL if quiet else None
    if subprocess.run(command, check=False, stdout=output).returncode:
        raise SnapError(f"{command[0]} {command[1]} failed; the steps done so far are kept")
