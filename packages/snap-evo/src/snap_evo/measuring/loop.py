"""The loop of a search that measures: propose, measure, learn, repeat."""

import shutil
import time
from collections.abc import Callable

from snap_catalog import SnapError
from snap_catalog.console import counted

from snap_evo.measuring.engines import Done, MeasuringEngine, Task
from snap_evo.measuring.journal import locked
from snap_evo.measuring.session import Progress, Session

_FAILURES_AT_FIRST = 3
"""After this many failed measurements and no other, the measurer is at fault."""


def run_session(
    session: Session,
    engine: MeasuringEngine,
    *,
    measurements: int,
    time_limit: float | None = None,
    retry: bool = False,
    after: Callable[[Progress], None],
) -> str:
    """Measure architectures until there is a reason to stop, and return it in a few words.

    Measurements that an earlier run did not finish come first.

    Args:
        session: the session.
        engine: makes the measurements.
        measurements: number of architectures to measure, including those already measured.
        time_limit: seconds after which no measurement begins.
        retry: whether to measure first the architectures whose measurements all failed.
        after: called after every measurement.

    Raises:
        SnapError: nothing can be measured, or the first measurements all failed; or another
            process runs the session.
    """
    with locked(session.folder / ".run-lock", wait=False):
        run = _Run(session, engine, measurements, time_limit)
        return run.to_the_end(run.left_over(retry=retry), after)


class _Run:
    def __init__(
        self, session: Session, engine: MeasuringEngine, measurements: int, time_limit: float | None
    ) -> None:
        self._session, self._engine = session, engine
        self._measurements, self._time_limit = measurements, time_limit
        self._deadline = None if time_limit is None else time.monotonic() + time_limit
        self._busy = 0

    def left_over(self, *, retry: bool) -> list[str]:
        """Return the architectures that an earlier run did not finish, and failed ones to retry."""
        progress = self._session.progress()
        begun = [asked.arch_id for asked in progress.pending if asked.by == "run"]
        if not retry:
            return begun
        failed = {name: self._session.folder_of(name) for name in progress.failed}
        for folder in failed.values():
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        return [*begun, *(name for name, folder in failed.items() if folder is not None)]

    def to_the_end(self, waiting: list[str], after: Callable[[Progress], None]) -> str:
        progress = self._session.progress()
        while True:
            stopped = self._reason_to_stop(progress, waiting)
            if not stopped:
                stopped = self._fill(progress, waiting)
            if not self._busy:
                return stopped
            self._record(self._engine.wait())
            progress = self._session.progress()
            after(progress)
            _check_failures(progress)

    def _reason_to_stop(self, progress: Progress, waiting: list[str]) -> str:
        if self._deadline is not None and time.monotonic() > self._deadline:
            return f"the time limit of {self._time_limit:g} s"
        if not waiting and progress.measured + self._busy >= self._measurements:
            return f"{counted(progress.measured, 'architecture')} measured"
        return ""

    def _fill(self, progress: Progress, waiting: list[str]) -> str:
        """Begin as many measurements as are free to run; return why none is left, if so."""
        free = self._engine.slots - self._busy
        left = self._measurements - progress.measured - self._busy
        names = [waiting.pop(0) for _ in range(min(free, len(waiting)))]
        if not waiting and (wanted := min(free, left) - len(names)) > 0:
            names += [found.arch_id for found in self._session.ask(wanted, by="run")]
        for name in names:
            self._begin(name)
        return "" if names else "no architecture is left to propose"

    def _begin(self, name: str) -> None:
        folder = self._session.folder_of(name)
        assert folder is not None, name
        folder.mkdir(parents=True, exist_ok=True)
        self._engine.submit(Task(name, self._session.graphs([name]), folder))
        self._busy += 1

    def _record(self, done: Done) -> None:
        self._busy -= 1
        setup, (value, costs, note) = self._session.setup, done.outcome
        costs = {name: cost for name, cost in costs.items() if name != setup.metric}
        missing = [name for name in setup.measured_maxima() if name not in costs]
        if value is not None and missing:
            value, note = None, f"answered no {missing[0]}, which is limited"
        self._session.tell(done.arch_id, value, costs=costs, seconds=done.seconds, note=note)


def _check_failures(progress: Progress) -> None:
    """Raise an error if the first measurements all failed, instead of making more."""
    entries = [result.entry for result in progress.results]
    if len(entries) == _FAILURES_AT_FIRST and all(entry.value is None for entry in entries):
        raise SnapError(
            f"the first {len(entries)} measurements failed, the last one because it "
            f"{entries[-1].note or 'said so'}; correct the measurer, and resume with --retry"
        )
