"""Make measurements: in this process, in others, or on a Ray cluster."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.errors import one_line

from snap_evo.measuring.interfaces import Measurer, Outcome
from snap_evo.measuring.measurers import load_measurer
from snap_evo.measuring.setup import Setup
from snap_evo.workers import prepare_worker

_SECONDS_TO_END = 5.0


class Order(NamedTuple):
    """A measurer, in a form that can be sent to other processes."""

    measure: str
    setup: Setup
    allow_code: bool

    def load(self) -> Measurer:
        """Make the measurer."""
        return load_measurer(self.measure, self.setup.find_space(allow_code=self.allow_code))


class Task(NamedTuple):
    """One measurement to make."""

    arch_id: str
    graph: pa.Table
    folder: Path


class Done(NamedTuple):
    """One measurement made.

    Attributes:
        arch_id: the architecture.
        outcome: the result.
        seconds: its time.
        refusal: why no architecture can be measured; empty otherwise.
    """

    arch_id: str
    outcome: Outcome
    seconds: float
    refusal: str = ""

    def checked(self) -> "Done":
        """Return the measurement, or raise `SnapError` if no architecture can be measured."""
        if self.refusal:
            raise SnapError(self.refusal)
        return self


class MeasuringEngine(Protocol):
    """Makes measurements.

    Attributes:
        slots: largest number at a time.
    """

    slots: int

    def submit(self, task: Task) -> None:
        """Begin a measurement; at most `slots` may run at a time."""

    def wait(self) -> Done:
        """Wait until a running measurement ends.

        Raises:
            SnapError: no architecture can be measured.
        """


@cache
def _loaded(order: Order) -> Measurer:
    """Make a measurer once per process."""
    return order.load()


def _measured(order: Order, task: Task) -> Done:
    """Measure with the measurer of this process."""
    return _done(partial(_loaded, order), task)


def _done(load: Callable[[], Measurer], task: Task) -> Done:
    """Measure; a measurer may be anybody's code and fail in any way."""
    began = time.perf_counter()
    try:
        outcome, refusal = load().measure(task.graph, task.folder), ""
    except SnapError as error:
        outcome, refusal = Outcome(None), str(error)
    except Exception as error:
        outcome, refusal = Outcome(None, note=f"{type(error).__name__}: {error}"), ""
    return Done(task.arch_id, outcome, time.perf_counter() - began, refusal)


class Inline:
    """Measures in this process, one architecture at a time."""

    slots = 1

    def __init__(self, measurer: Measurer) -> None:
        self._measurer = measurer
        self._tasks: list[Task] = []

    def submit(self, task: Task) -> None:
        """Queue a measurement."""
        self._tasks.append(task)

    def wait(self) -> Done:
        """Make the first measurement of the queue."""
        return _done(lambda: self._measurer, self._tasks.pop(0)).checked()


class _Worker:
    """A process that measures one architecture after another."""

    def __init__(self, order: Order) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(order, theirs), daemon=False
        )
        self.process.start()
        theirs.close()

    def end(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join(_SECONDS_TO_END)
        self.process.kill()
        self.process.join()


def _serve(order: Order, connection: Connection) -> None:
    """Measure what arrives until the connection is closed."""
    prepare_worker()
    with suppress(EOFError):
        while True:
            connection.send(_measured(order, connection.recv()))


class Processes:
    """Measures in processes of this machine, each one architecture at a time.

    If a process dies, for example for lack of memory, its measurement failed.
    """

    def __init__(self, order: Order, workers: int) -> None:
        self.slots = workers
        self._order = order
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, Task, float]] = {}

    def submit(self, task: Task) -> None:
        """Send a measurement to an idle process."""
        worker = self._idle.pop() if self._idle else _Worker(self._order)
        self._busy[worker.connection] = worker, task, time.perf_counter()
        worker.connection.send(task)

    def wait(self) -> Done:
        """Wait until a process answers or dies."""
        ready = wait([*self._busy])[0]
        assert isinstance(ready, Connection)
        worker, task, began = self._busy.pop(ready)
        try:
            done: Done = ready.recv()
        except (EOFError, ConnectionError):
            worker.end()
            note = f"its process ended with exit code {worker.process.exitcode}"
            done = Done(task.arch_id, Outcome(None, note=note), time.perf_counter() - began)
        else:
            self._idle.append(worker)
        return done.checked()

    def close(self) -> None:
        """End all processes."""
        for worker in [*self._idle, *(worker for worker, _, _ in self._busy.values())]:
            worker.end()


class RayTasks:
    """Measures in tasks of a Ray cluster, whose machines share the session's folder."""

    def __init__(self, order: Order, slots: int, gpus: float) -> None:
        import ray

        self.slots = slots
        self._order = order
        resources = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)
        self._measure: Any = resources(_measured)
        self._busy: dict[Any, Task] = {}

    def submit(self, task: Task) -> None:
        """Start a task."""
        self._busy[self._measure.remote(self._order, task)] = task

    def wait(self) -> Done:
        """Wait until a task ends."""
        import ray

        (ready, *_), _ = ray.wait([*self._busy])
        task = self._busy.pop(ready)
        try:
            done: Done = ray.get(ready)
        except ray.exceptions.RayError as error:
            note = one_line(f"{type(error).__name__}: {error}")
            done = Done(task.arch_id, Outcome(None, note=note), 0.0)
        return done.checked()

    def close(self) -> None:
        """Cancel the running tasks."""
        import ray

        for reference in self._busy:
            ray.cancel(reference, force=True)
