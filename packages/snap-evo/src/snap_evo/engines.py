"""Where work is done: in processes of this machine, or on the workers of a Ray cluster."""

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from snap_evo.measuring.engines import MeasuringEngine, Order
    from snap_evo.measuring.interfaces import Measurer
    from snap_evo.scorers import Scorer

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class EngineOptions:
    """Where work is done, and how much of it at a time.

    Attributes:
        engine: a key of `ENGINES`.
        workers: searches, networks or measurements at a time; None for one per processor.
        gpus: graphics cards that each measurement needs, on a cluster.
    """

    engine: str = "local"
    workers: int | None = None
    gpus: float = 0.0


class Engine(Protocol):
    """Does work."""

    def map(self, function: Callable[[_T], _R], items: Sequence[_T]) -> Generator[_R, None, None]:
        """Call a function of a module with each item, and yield the results in their order.

        Raises:
            SnapError: a call failed, or its process was killed.
        """

    def scorer(self, spec: str) -> "Scorer":
        """Make a scorer, as `load_scorer` reads it, that scores where this engine works."""

    def measuring(
        self, order: "Order", measurer: "Measurer | None" = None
    ) -> "AbstractContextManager[MeasuringEngine]":
        """Start what makes measurements, and end all that it started.

        Args:
            order: what measures.
            measurer: what the order loads, if it is loaded already.
        """


def start_engine(options: EngineOptions) -> AbstractContextManager[Engine]:
    """Start an engine, and end all that it started.

    Raises:
        SnapError: its package is not installed.
    """
    return ENGINES[options.engine](options)


@dataclass(frozen=True)
class LocalEngine:
    """Works in this process, or in others of this machine."""

    options: EngineOptions

    def map(self, function: Callable[[_T], _R], items: Sequence[_T]) -> Generator[_R, None, None]:
        """Call a function in processes, which end with the iterator; one alone needs none."""
        from snap_evo import workers

        jobs = self.options.workers or os.cpu_count() or 1
        yield from map(function, items) if jobs == 1 else workers.shared(function, items, jobs)

    def scorer(self, spec: str) -> "Scorer":
        """Make a scorer of this process."""
        from snap_evo.registry import load_scorer

        return load_scorer(spec)

    def measuring(
        self, order: "Order", measurer: "Measurer | None" = None
    ) -> "AbstractContextManager[MeasuringEngine]":
        """Start processes that measure; looking values up in a table needs none."""
        from snap_evo.measuring.engines import Inline, Processes
        from snap_evo.measuring.measurers import TableMeasurer

        measurer = measurer or order.load()
        if isinstance(measurer, TableMeasurer):
            return nullcontext(Inline(measurer))
        return closing(Processes(order, self.options.workers or 1))


@contextmanager
def _ray(options: EngineOptions) -> Iterator[Engine]:
    from snap_evo.cluster import RayEngine, cluster

    with cluster() as processors:
        yield RayEngine(options, processors)


ENGINES: Mapping[str, Callable[[EngineOptions], AbstractContextManager[Engine]]] = {
    "local": lambda options: nullcontext(LocalEngine(options)),
    "ray": _ray,
    # Add an engine here: a context manager that yields an `Engine`. Nothing else lists engines.
}
