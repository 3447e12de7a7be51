"""Trace all networks of a source, with resuming."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from snap_catalog import SnapError
from snap_catalog.console import Advance
from snap_catalog.errors import is_short_of_memory

from snap_graphs.networks import Network, assembled
from snap_graphs.torch.trace.checkpoint import Checkpoint
from snap_graphs.torch.trace.export import trace_module
from snap_graphs.torch.trace.fingerprint import fingerprint
from snap_graphs.torch.trace.inputs import Inputs
from snap_graphs.torch.trace.source import Given, Opened, summary


@dataclass
class Traced:
    """The networks of a source.

    Attributes:
        networks: by name, in the source's order.
        resumed: how many of them a stopped run had traced.
        bad: how many could not be traced.
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
    """Trace the networks of a source one at a time; each is dropped before the next is made.

    Args:
        opened: the source.
        inputs: what networks are called with where the source does not state it.
        checkpoint: keeps what is traced.
        advance: is called after every network.
        report: is called with a line for each network that cannot be traced and is left out; the
            first one is an error if None.

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
    """Report in one line that a module cannot be followed, whatever its code raises."""
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
