"""Trace the networks of a source, and resume interrupted runs."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from io import StringIO

import torch
from snap_catalog import SnapError
from snap_catalog.console import Advance
from snap_catalog.errors import is_short_of_memory
from torch import nn
from torch.export import ExportedProgram

from snap_graphs.networks import Layer, Network, assembled
from snap_graphs.torch.trace.checkpoint import Checkpoint, fingerprint
from snap_graphs.torch.trace.inputs import Inputs
from snap_graphs.torch.trace.layers import read_layers
from snap_graphs.torch.trace.source import Given, Opened, summary


@dataclass
class Traced:
    """The networks of a source.

    Attributes:
        networks: networks by name, in the order of the source.
        resumed: number of networks from an interrupted run.
        bad: number of networks that could not be traced.
    """

    networks: dict[str, Network] = field(default_factory=dict)
    resumed: int = 0
    bad: int = 0


def trace_source(
    opened: Opened,
    inputs: Inputs | None,
    checkpoint: Checkpoint,
    advance: Advance,
    report: Callable[[str], None] | None = None,
) -> Traced:
    """Trace the networks of a source one at a time, to hold only one in memory.

    Args:
        opened: the source.
        inputs: inputs of networks whose inputs the source does not give.
        checkpoint: keeps traced networks.
        advance: called after every network.
        report: called with one line per network that cannot be traced and is skipped; if None, such
            a network raises an error.

    Raises:
        SnapError: the source fails, or a network cannot be traced and `report` is None.
    """
    traced = Traced()
    for given in opened:
        try:
            if given.name in traced.networks:
                raise SnapError(f"{given.name}: is the name of two networks; give each its own")
            _trace(given, inputs, checkpoint, traced)
        except SnapError as error:
            if report is None:
                raise
            traced.bad += 1
            report(str(error))
        advance(1, given.name)
        del given
    return traced


def _trace(given: Given, inputs: Inputs | None, checkpoint: Checkpoint, traced: Traced) -> None:
    called_with = given.inputs or inputs
    if called_with is None:
        raise SnapError(
            f"{given.name}: the shape of its input is not known; give it, as --input 3x224x224"
        )
    with _following(given.name):
        key = fingerprint(given.module, called_with)
    network = checkpoint.get(key)
    traced.resumed += network is not None
    if network is None:
        with _following(given.name):
            network = assembled(trace_module(given.module, called_with))
        checkpoint.add(key, network)
    traced.networks[given.name] = network


@contextmanager
def _following(name: str) -> Iterator[None]:
    """Raise a one-line error if `torch.export` cannot follow a module."""
    try:
        yield
    except (Exception, SystemExit) as error:
        if is_short_of_memory(error):
            raise
        raise SnapError(
            f"{name}: torch.export cannot follow it ({summary(error)}); {_remedy(error)}; "
            "--skip-bad leaves it out"
        ) from error


def _remedy(error: BaseException) -> str:
    text = str(error)
    if "uninitialized parameter" in text:
        return "give its lazy layers their sizes"
    if "meta tensor" in text or "data-dependent" in text or "DataDependent" in type(error).__name__:
        return "let its forward depend on shapes, not on values of tensors"
    return "check --input and its forward"


def trace_module(module: nn.Module, inputs: Inputs) -> list[Layer]:
    """Trace a module to the layers of a network, without allocating weights or computing.

    Args:
        module: the module, which is set to evaluation mode and moved to the meta device.
        inputs: its inputs.

    Returns:
        The layers in topological order: inputs first, one output last.

    Raises:
        Exception: `torch.export` cannot follow the module; any type of exception.
    """
    return read_layers(exported(module, inputs), module)


def exported(module: nn.Module, inputs: Inputs) -> ExportedProgram:
    """Export a module by `torch.export` for a batch of one, on the meta device."""
    with _quietly(), torch.device("meta"):
        positional, named = inputs.tensors()
        return torch.export.export(module.eval().to("meta"), positional, named, strict=False)


@contextmanager
def _quietly() -> Iterator[None]:
    """Suppress torch's messages, and the fused attention whose operators are not readable."""
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
