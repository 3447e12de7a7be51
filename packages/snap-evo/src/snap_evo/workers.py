"""Processes that work for another one, and end with it."""

import os
import signal
from multiprocessing import parent_process
from threading import Thread


def prepare_worker() -> None:
    """Let a worker leave Ctrl-C to its parent, which ends it, and compute on one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Do not work on where the process that asked for it was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
