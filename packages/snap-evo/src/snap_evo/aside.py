"""Work that another process does in the meantime."""

import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from snap_catalog import SnapError

_T = TypeVar("_T")


class Aside(Generic[_T]):
    """A call that a process of its own is at work on, from now on.

    The process ends with the one that started it.
    """

    def __init__(self, function: Callable[..., _T], *arguments: object) -> None:
        """Start.

        Args:
            function: of a module's top level.
            arguments: what to call it with.
        """
        context = get_context("spawn")
        self._answers, answer = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(answer, function, arguments), daemon=True)
        process.start()
        answer.close()

    def result(self) -> _T:
        """Wait for the call's result.

        Raises:
            SnapError: the call raised it, or the process came to an end.
        """
        try:
            outcome: _T | SnapError = self._answers.recv()
        except EOFError as error:
            raise SnapError("a process at work aside came to an end; run this again") from error
        if isinstance(outcome, SnapError):
            raise outcome
        return outcome


def _work(answer: Connection, function: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits
    try:
        answer.send(function(*arguments))
    except SnapError as error:
        answer.send(error)
    except BrokenPipeError:
        pass  # nobody waits any more
