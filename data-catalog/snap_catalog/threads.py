"""Run torch on one thread, for the packages that depend on it."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread.

    Results then do not depend on the number of cores, and small batches are several times faster if
    other processes keep the cores busy.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
