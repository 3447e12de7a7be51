"""Train in one process, or in several that torchrun starts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from snap_catalog import SnapError
from snap_graphs.arrays import Ints
from torch import distributed, nn


@contextmanager
def joined(device: str) -> Iterator[None]:
    """Join the process group if torchrun started this process; `cuda` gives each its own device.

    Raises:
        SnapError: there is no such device.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise SnapError("--device cuda: torch finds no CUDA device here; use --device cpu")
    if not distributed.is_torchelastic_launched():
        yield
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """Return this process's number; process 0 writes the files."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def count() -> int:
    """Return the number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def share(rows: Ints) -> Ints:
    """Return this process's share of a batch; empty if there are fewer rows than processes."""
    return rows[rank() :: count()] if len(rows) >= count() else rows[:0]


def parallel(network: nn.Module) -> nn.Module:
    """Wrap a network to average its gradients over all processes."""
    if not distributed.is_initialized():
        return network
    return nn.parallel.DistributedDataParallel(network)


def gathered(value: float) -> list[float]:
    """Return every process's value, in the order of their numbers."""
    values = [value] * count()
    if distributed.is_initialized():
        distributed.all_gather_object(values, value)
    return values
