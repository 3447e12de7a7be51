"""A search that measures, kept in a folder: its proposals and its measurements."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.errors import excerpt
from snap_catalog.metrics import oriented
from snap_catalog.parquet import check_writable, make_folder, write
from snap_catalog.replaceable import check_first_key
from snap_graphs import Cell

from snap_evo.architecture import Architecture
from snap_evo.costs import cell_graphs, check_network
from snap_evo.defaults import MEASURING_ALGORITHM
from snap_evo.measuring.interfaces import Observations, Proposer
from snap_evo.measuring.journal import Asked, Entry, JsonLines, as_table, locked
from snap_evo.measuring.setup import FILE, Setup, read_setup, write_setup
from snap_evo.objectives import COSTS, SCORE, Floats, excess
from snap_evo.registry import load_scorer
from snap_evo.scorers import Scorer, readings

JOURNAL, ASKED, TABLE = "measurements.jsonl", "asked.jsonl", "measurements.parquet"
WORK = "measuring"
"""Folder for the files of measurements."""
Asker = Literal["run", "ask"]
_COLUMNS = ("space", "arch_id", "cell_hash", "seconds", "note", *COSTS)
"""Columns of the files in which the metric is a column."""


class Measurement(NamedTuple):
    """A measurement to record.

    Attributes:
        name: the architecture, as its space's native string, whether proposed or not.
        value: the metric; None if the measurement failed.
        costs: by name the costs measured with it.
        seconds: its time; None if unknown.
        note: a remark.
    """

    name: str
    value: float | None
    costs: Mapping[str, float] = {}
    seconds: float | None = None
    note: str = ""


class Result(NamedTuple):
    """A recorded measurement.

    Attributes:
        entry: the journal's entry of the metric.
        costs: by name the costs measured with it.
        within: whether it has a value and keeps to all limits.
    """

    entry: Entry
    costs: Mapping[str, float]
    within: bool


@dataclass(frozen=True)
class Progress:
    """The state of a session.

    Attributes:
        results: the measurements, in the order of recording.
        pending: proposals that are not measured yet, in the order of proposing.
    """

    results: list[Result]
    pending: list[Asked]
    _direction: Direction = field(repr=False)

    @cached_property
    def best(self) -> Result | None:
        """The best measurement within the limits, the first of equals; None if there is none."""
        within = [result for result in self.results if result.within]
        return max(
            within,
            key=lambda result: oriented(result.entry.value or 0.0, self._direction),
            default=None,
        )

    @property
    def values(self) -> Floats:
        """(n,) values of the results, NaN if a measurement failed or is beyond a limit."""
        return np.array([r.entry.value if r.within else np.nan for r in self.results], np.float64)

    @property
    def measured(self) -> int:
        """Number of different architectures measured, including failures."""
        return len({result.entry.arch_id for result in self.results})

    @property
    def failed(self) -> list[str]:
        """The architectures whose measurements all failed."""
        worked = {r.entry.arch_id for r in self.results if r.entry.value is not None}
        names = dict.fromkeys(result.entry.arch_id for result in self.results)
        return [name for name in names if name not in worked]

    @property
    def beyond(self) -> int:
        """Number of measurements with a value beyond a limit."""
        return sum(r.entry.value is not None and not r.within for r in self.results)


class Session:
    """A search that measures.

    Its state is in its folder, so that several processes may use the same session at once.
    """

    def __init__(self, folder: str | os.PathLike[str], *, allow_code: bool = False) -> None:
        """Open the session in a folder.

        Args:
            folder: a folder that `Session.start` prepared.
            allow_code: whether code that the search space names may be imported.

        Raises:
            SnapError: the folder holds no session, its files are damaged, or it began with code
                that is not allowed now.
        """
        self.folder, self.allow_code = Path(folder), allow_code
        self.setup = read_setup(self.folder)
        if self.setup.code and not allow_code:
            raise SnapError(
                f"{folder}: began with the code that {self.setup.space} names, without which costs "
                "are unknown; add --allow-code"
            )
        self.space = self.setup.find_space(allow_code=allow_code)
        self._limits = self.setup.limits()
        self._maxima = self.setup.measured_maxima()
        check_network(self.space.name, self.setup.network)
        self._entries = JsonLines(self.folder / JOURNAL, Entry)
        self._asked = JsonLines(self.folder / ASKED, Asked)
        self._cells: dict[str, Cell] = {}
        self._within: dict[str, bool] = {}

    @classmethod
    def start(
        cls, folder: str | os.PathLike[str], setup: Setup, *, allow_code: bool = False
    ) -> "Session":
        """Begin a session in a folder, which is created if it is missing.

        A session without proposals and measurements is replaced.

        Raises:
            SnapError: the folder holds a session already or cannot be written to, or an option is
                wrong.
        """
        path = make_folder(folder)
        with locked(path / ".lock"):
            for name in (JOURNAL, ASKED):
                if (path / name).exists() and (path / name).stat().st_size:
                    raise SnapError(
                        f"{path}: holds a session already; continue it (snap-evo resume or ask), "
                        "or name another folder"
                    )
            if (path / WORK).exists():
                raise SnapError(
                    f"{path / WORK}: holds files of measurements of an earlier session; remove it, "
                    "or name another folder"
                )
            check_first_key(path / FILE, "session")
            check_writable(path / TABLE, "measurements")
            check_network(setup.find_space().name, setup.network)
            setup.limits()
            _check_metric(setup)
            if SCORE not in setup.objective.split(","):
                raise SnapError(
                    f"the objectives {setup.objective!r} do not name {SCORE!r}, the metric; write "
                    "them as score,params"
                )
            scorer = load_scorer(setup.scorer)
            for name in (JOURNAL, ASKED):
                (path / name).touch()
            write_setup(msgspec.structs.replace(setup, code=allow_code), path)
        session = cls(path, allow_code=allow_code)
        session._scorer = scorer
        return session

    def readings(self) -> list[str]:
        """Return, one line each, how the scorer understood the descriptions of the operators.

        The list is empty if the algorithm does not use the scorer.
        """
        if self.setup.algorithm != MEASURING_ALGORITHM:
            return []
        return readings(self._scorer, self.space)

    def ask(self, count: int, *, by: Asker = "ask") -> list[Architecture]:
        """Propose architectures to measure next, and record the proposals.

        With equal seeds, the same measurements in the same order lead to the same proposals. No two
        calls, of any process, return the same architecture.

        Args:
            count: number of architectures.
            by: the command that asks.

        Returns:
            At most `count` architectures, the most promising first; fewer if none are left.

        Raises:
            SnapError: the scorer or the surrogate failed.
        """
        chosen: list[str] = []
        with locked(self.folder / ".ask-lock"):
            while len(chosen) < count:
                with locked(self.folder / ".lock"):
                    known = self.known()
                proposed = self._proposer.propose(known, count - len(chosen))
                if not proposed.num_rows:
                    break
                chosen += self._keep_asked(proposed["arch_id"].to_pylist(), by)
        return [self.architecture(name) for name in chosen]

    def _keep_asked(self, names: Sequence[str], by: Asker) -> list[str]:
        """Record and return the proposals that nobody has measured in the meantime."""
        with locked(self.folder / ".lock"):
            asked = self._asked.read()
            known = {entry.arch_id for entry in self._entries.read()} | {a.arch_id for a in asked}
            new = [name for name in names if name not in known]
            last = max((a.number for a in asked), default=0)  # lines may have been deleted
            now = datetime.now(UTC)
            self._asked.append(
                [
                    Asked(number=number, arch_id=name, at=now, by=by)
                    for number, name in enumerate(new, start=last + 1)
                ]
            )
        return new

    def tell(
        self,
        name: str,
        value: float | None,
        *,
        costs: Mapping[str, float] | None = None,
        seconds: float | None = None,
        note: str = "",
    ) -> None:
        """Record a measurement, with the attributes of `Measurement`, on the disk.

        Raises:
            SnapError: the space has no such architecture, or a number is not finite.
        """
        self.tell_all([Measurement(name, value, costs or {}, seconds, note)])

    def tell_all(self, measurements: Sequence[Measurement], *, repeat: bool = True) -> None:
        """Record measurements, or none of them after an error.

        Args:
            measurements: the measurements.
            repeat: whether architectures may have been measured before.

        Raises:
            SnapError: as in `tell`; or an architecture has been measured before.
        """
        named = [(self.architecture(m.name).arch_id, m) for m in measurements]
        for _, measurement in named:
            self._check(measurement)
        with locked(self.folder / ".lock"):
            attempts = Counter[str]()
            for entry in self._entries.read():
                attempts[entry.arch_id] = max(attempts[entry.arch_id], entry.attempt)
            lines: list[Entry] = []
            for name, measurement in named:
                if attempts[name] and not repeat:
                    raise SnapError(f"{name} has been measured already")
                attempts[name] += 1
                lines += self._lines(name, measurement, attempts[name])
            self._entries.append(lines)

    def _check(self, measurement: Measurement) -> None:
        for name, value in (*measurement.costs.items(), (self.setup.metric, measurement.value)):
            if value is not None and not math.isfinite(value):
                raise SnapError(
                    f"{name} of {measurement.name:.80} is {excerpt(value)}; give a finite number, "
                    "or None if the measurement failed"
                )
        if self.setup.metric in measurement.costs:
            raise SnapError(f"{self.setup.metric!r} is the metric; drop it from the costs")
        missing = [name for name in self._maxima if name not in measurement.costs]
        if measurement.value is not None and missing:
            raise SnapError(
                f"{measurement.name:.80}: no {missing[0]}, which the session limits; measure it too"
            )

    def _lines(self, name: str, measurement: Measurement, attempt: int) -> Iterable[Entry]:
        for metric, value in (*measurement.costs.items(), (self.setup.metric, measurement.value)):
            yield Entry(
                space=self.space.name,
                arch_id=name,
                metric=metric,
                value=None if value is None else float(value),
                seconds=measurement.seconds,
                at=datetime.now(UTC),
                attempt=attempt,
                note=measurement.note.encode(errors="replace").decode(),
            )

    def architecture(self, name: str) -> Architecture:
        """Return an architecture of the space by its native string.

        Raises:
            SnapError: the space has no such architecture.
        """
        return Architecture.of(self.space, self.space.parse(name))

    def folder_of(self, name: str) -> Path | None:
        """Return the folder, which may not exist yet, for the files of a proposal's measurement.

        None is returned for an architecture that was not proposed.
        """
        for asked in self._asked.read():
            if asked.arch_id == name:
                return (self.folder / WORK / f"{asked.number:04d}").absolute()
        return None

    def graphs(self, names: Sequence[str]) -> pa.Table:
        """Return architectures, named as in the session's files, as rows of the `graphs` contract.

        Raises:
            SnapError: the space has no such architecture.
        """
        for name in names:
            if name not in self._cells:
                try:
                    self._cells[name] = self.space.parse(name)
                except SnapError as error:
                    raise SnapError(f"{self.folder}: a damaged journal: {error}") from error
        return cell_graphs(self.space, self.setup.network, [self._cells[name] for name in names])

    def progress(self) -> Progress:
        """Return the measurements and proposals so far.

        Raises:
            SnapError: a file of the session is damaged.
        """
        with locked(self.folder / ".lock"):
            return self._progress()

    def write_table(self) -> Path:
        """Write `measurements.parquet`, the journal as a table, and return its path."""
        path = self.folder / TABLE
        with locked(self.folder / ".lock"):
            metadata = {
                "snap.metric": self.setup.metric,
                "snap.direction": self.setup.direction,
            }
            table = as_table(self._entries.read())
            write(table, path, "measurements", producer="snap-evo", metadata=metadata)
        return path

    def _progress(self) -> Progress:
        entries = self._entries.read()
        finished = [entry for entry in entries if entry.metric == self.setup.metric]
        costs: dict[tuple[str, int], dict[str, float]] = {}
        for entry in entries:
            if entry.metric != self.setup.metric and entry.value is not None:
                costs.setdefault((entry.arch_id, entry.attempt), {})[entry.metric] = entry.value
        measured = dict.fromkeys(entry.arch_id for entry in finished)
        within = self._keep_to_limits([*measured])
        results = []
        for entry in finished:
            own = costs.get((entry.arch_id, entry.attempt), {})
            keeps = within[entry.arch_id] and all(
                own.get(name, math.inf) <= most for name, most in self._maxima.items()
            )
            results.append(Result(entry, own, entry.value is not None and keeps))
        pending = [asked for asked in self._asked.read() if asked.arch_id not in measured]
        return Progress(results, pending, self.setup.direction)

    def _keep_to_limits(self, names: Sequence[str]) -> Mapping[str, bool]:
        """Return by architecture whether it keeps to the limits that are known unmeasured."""
        if new := [name for name in names if name not in self._within]:
            within = excess(self.graphs(new), self._limits) == 0
            self._within.update(zip(new, within.tolist(), strict=True))
        return self._within

    def known(self) -> Observations:
        """Return the observations for a proposer; a value beyond a limit counts as failed."""
        progress = self._progress()
        return Observations(
            graphs=self.graphs([result.entry.arch_id for result in progress.results]),
            values=progress.values,
            direction=self.setup.direction,
            pending=self.graphs([asked.arch_id for asked in progress.pending]),
        )

    @cached_property
    def _scorer(self) -> Scorer:
        return load_scorer(self.setup.scorer)

    @cached_property
    def _proposer(self) -> Proposer:
        from snap_evo.measuring.proposers import Start, start_proposer
        from snap_evo.measuring.proposers.pool import Feasible

        setup = self.setup
        feasible = Feasible(self.space, tuple(self._limits), setup.network)
        start = Start(feasible, self._scorer, setup.surrogate, setup.seed)
        return start_proposer(setup.algorithm, start)


def _check_metric(setup: Setup) -> None:
    """Refuse names of a metric that have another meaning."""
    metric = setup.metric
    if metric in _COLUMNS or not metric.isprintable():
        raise SnapError(
            f"the metric cannot be called {metric!r:.80}; give another name with --metric"
        )
    objectives = {*setup.objective.split(",")} - {SCORE}
    if metric in {*setup.measured_maxima()} | objectives:
        raise SnapError(
            f"{metric!r:.80} is the metric, and neither a limit nor a further objective; rename one"
        )
