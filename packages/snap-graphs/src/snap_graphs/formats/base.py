"""The interface of all readers of benchmark files."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from snap_catalog import Benchmark, SnapError
from snap_catalog import benchmark as catalogued
from snap_catalog.catalog import Direction

from snap_graphs.cell import Cell
from snap_graphs.networks import Network

CHUNK = 16_384
"""Architectures per chunk, which limits memory."""


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file; none if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""Exceptions raised by reading malformed records."""


class Chunk(NamedTuple):
    """A chunk of the architectures of a benchmark.

    Attributes:
        cells: their cells.
        arch_ids: their native strings.
        metrics: (n,) values by metric column; NaN if nothing was measured.
        module_hashes: NAS-Bench-101's hashes; None for other spaces.
        networks: complete networks instead of cells.
    """

    cells: list[Cell]
    arch_ids: list[str]
    metrics: Mapping[str, npt.NDArray[np.float64]]
    module_hashes: list[str] | None = None
    networks: Sequence[Network] = ()


class Declared(NamedTuple):
    """The unit and direction that a user declares for a metric.

    Attributes:
        unit: unit of the values; `fraction` is converted to percent; None for that of the catalog.
        direction: whether higher or lower is better; None for that of the catalog.
    """

    unit: str | None = None
    direction: Direction | None = None


@dataclass
class Request:
    """Options of a conversion, and its messages.

    Attributes:
        repeat: `mean` averages repeated measurements, `all` writes each to its own column (`...#0`,
            `...#1`).
        epochs: the training budgets to keep; all of them if empty.
        columns: metric names by table column.
        declared: declared unit and direction by metric; these take precedence over the catalog.
        space: search space of networks; the name of the source if empty.
        inputs: input shapes of networks without the batch, if a file leaves them open.
        skip_bad: skip and count bad records instead of stopping.
        skipped: number of skipped records.
        notes: messages of a reader for the user, for example on values left empty.
        advance: called with the number of bytes just read.
    """

    repeat: Literal["mean", "all"] = "mean"
    epochs: frozenset[int] = frozenset()
    columns: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[str, Declared] = field(default_factory=dict)
    space: str = ""
    inputs: tuple[tuple[int, ...], ...] = ()
    skip_bad: bool = False
    skipped: int = 0
    notes: list[str] = field(default_factory=list)
    advance: Callable[[int], None] = field(default=lambda amount: None)

    @property
    def everything(self) -> bool:
        """Whether the complete source is converted without changes."""
        narrowed = self.epochs or self.columns or self.declared or self.skip_bad
        return self.repeat == "mean" and not narrowed

    def wants(self, epochs: int) -> bool:
        """Return whether a training budget is kept."""
        return not self.epochs or epochs in self.epochs

    def bad(self, path: Path, record: int | str, reason: object) -> None:
        """Refuse a record (counted from 1), or count it if bad records are skipped.

        Raises:
            SnapError: names the file and the record, unless `skip_bad`.
        """
        if not self.skip_bad:
            raise SnapError(f"{path}: record {record}: {reason}; add --skip-bad to skip it")
        self.skipped += 1

    @contextmanager
    def reading(self, path: Path, record: int | str) -> Iterator[None]:
        """Refuse or count a record, as `bad` does, if the code inside cannot read it."""
        try:
            yield
        except (SnapError, *MALFORMED) as error:
            self.bad(path, record, fault(error))


class Format(ABC):
    """Reads one kind of file or folder.

    Attributes:
        title: description of the format, for errors.
        suffixes: suffixes of its files, if these alone identify them.
        benchmark: name of the catalogued benchmark.
        by_hand: whether users write such files, so that units are checked.
    """

    title: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    benchmark: ClassVar[str]
    by_hand: ClassVar[bool] = False

    def recognises(self, path: Path) -> bool:
        """Return whether names and first bytes of a path match the format; never raises."""
        return path.is_file() and path.name.endswith(self.suffixes)

    @abstractmethod
    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the architectures.

        Raises:
            SnapError: the file is damaged, or a record is bad and not skipped.
        """

    def facts(self, path: Path) -> Benchmark:
        """Return the facts of the benchmark, from the catalog or from the file.

        Raises:
            SnapError: the file is damaged.
        """
        return catalogued(self.benchmark)

    def files(self, path: Path) -> list[Path]:
        """Return the files to read, sorted by name."""
        return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())

    def metadata(self, path: Path) -> Mapping[str, str]:
        """Return further metadata entries of the table."""
        return {}


def fault(error: Exception) -> str:
    """Return the problem of a record in one line."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return f"{reason} is missing" if isinstance(error, KeyError) else reason


Doubles = npt.NDArray[np.float64]
Measured = Mapping[str, Sequence[float]]
"""The measurements of an architecture: one value per repeat, by metric."""


def repeat_columns(name: str, values: Doubles, request: Request) -> dict[str, Doubles]:
    """Return the columns of one metric.

    Args:
        name: the metric.
        values: (n, repeats) measurements; NaN if there was none.
        request: whether to average repeats.

    Returns:
        (n,) values by column: the mean over repeats, or one column per repeat (`name#0`, ...).
    """
    if request.repeat == "all":
        return {f"{name}#{i}": values[:, i] for i in range(values.shape[1])}
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    total = np.where(there, values, 0.0).sum(axis=1)
    return {name: np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)}


def chunked(
    architectures: Iterable[tuple[str, Cell, Measured]], request: Request
) -> Iterator[Chunk]:
    """Group architectures into chunks.

    Args:
        architectures: native string, cell and measurements of each.
        request: whether to average repeats.
    """
    stream = iter(architectures)
    while batch := list(itertools.islice(stream, CHUNK)):
        arch_ids, cells, measured = (list(part) for part in zip(*batch, strict=True))
        columns: dict[str, Doubles] = {}
        for name in dict.fromkeys(itertools.chain(*measured)):
            repeats = [entry.get(name, ()) for entry in measured]
            values = np.full((len(repeats), max(map(len, repeats))), np.nan)
            for row, found in enumerate(repeats):
                values[row, : len(found)] = found
            columns |= repeat_columns(name, values, request)
        yield Chunk(cells, arch_ids, columns)
