"""Export a module on the meta device: no weights are allocated and nothing is computed."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO

import torch
from torch import nn
from torch.export import ExportedProgram

from snap_graphs.networks import Layer
from snap_graphs.torch.trace.inputs import Inputs
from snap_graphs.torch.trace.layers import read_layers


def trace_module(module: nn.Module, inputs: Inputs) -> list[Layer]:
    """Read a module as the layers of a network, without its weights and without running it.

    Args:
        module: it is put into evaluation mode and, where it is not there, on the meta device.
        inputs: the shapes of what it is called with, without the batch dimension.

    Returns:
        The layers in topological order: inputs first, one output last.

    Raises:
        Exception: of any kind, where `torch.export` cannot follow the module.
    """
    return read_layers(exported(module, inputs), module)


def exported(module: nn.Module, inputs: Inputs) -> ExportedProgram:
    """Return what `torch.export` makes of a module for a batch of one."""
    with _quietly(), torch.device("meta"):
        positional, named = inputs.tensors()
        return torch.export.export(module.eval().to("meta"), positional, named, strict=False)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what torch prints and logs from the user, and attention in operators that are read."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        torch.backends.mha.set_fastpath_enabled(fast)
