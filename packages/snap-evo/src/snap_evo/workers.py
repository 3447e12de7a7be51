"""Processes that work for their parent, and end with it."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.pool import IMapIterator
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TypeVar

from snap_catalog import SnapError

_T = TypeVar("_T")
_R = TypeVar("_R")
_SECONDS_BETWEEN_LOOKS = 1.0


def shared(
    function: Callable[[_T], _R], items: Sequence[_T], jobs: int
) -> Generator[_R, None, None]:
    """Call a function in processes, which end with the iterator.

    Yields:
        The results, in the order of the items.

    Raises:
        SnapError: a call failed, or its process was killed.
    """
    if not items:
        return
    others = set(active_children())
    with get_context("spawn").Pool(min(jobs, len(items)), prepare_worker) as pool:
        workers = set(active_children()) - others
        coming = pool.imap(function, items)
        for _ in items:
            yield _next(coming, workers)


def _next(coming: "IMapIterator[_R]", workers: set[BaseProcess]) -> _R:
    """Wait for a result; a pool does not report that one of its processes was killed."""
    while True:
        try:
            return coming.next(timeout=_SECONDS_BETWEEN_LOOKS)
        except multiprocessing.TimeoutError as error:
            if not workers <= set(active_children()):
                raise SnapError(
                    "a worker process was killed, perhaps for lack of memory; run fewer at a time "
                    "with --jobs"
                ) from error


def prepare_worker() -> None:
    """Make a worker ignore Ctrl-C, compute on one core, and end with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent ends, also if that was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
