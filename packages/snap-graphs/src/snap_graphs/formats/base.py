"""What every reader of a benchmark's files offers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
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
"""Architectures that a reader should yield at a time, so that memory does not grow with files."""

MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""The exceptions that reading such a record raises."""


class Chunk(NamedTuple):
    """Some architectures of a benchmark.

    Attributes:
        cells: their cells.
        arch_ids: their native strings.
        metrics: by metric column, (n,) values; NaN if nothing was measured.
        module_hashes: NAS-Bench-101's own hashes; None for other spaces.
        networks: whole networks, in place of cells.
    """

    cells: list[Cell]
    arch_ids: list[str]
    metrics: Mapping[str, npt.NDArray[np.float64]]
    module_hashes: list[str] | None = None
    networks: Sequence[Network] = ()


class Declared(NamedTuple):
    """What a user says of a metric.

    Attributes:
        unit: what its values are in; `fraction` is converted to percent. None leaves it to the
            catalog.
        direction: whether more or less is better; None leaves it to the catalog.
    """

    unit: str | None = None
    direction: Direction | None = None


def _unheard(amount: int) -> None:
    """Report nothing of how far a reader is."""


@dataclass
class Request:
    """What of a source is wanted, what happens to its bad records, and who hears how far it is.

    Attributes:
        repeat: `mean` averages the repeats of a measurement, `all` keeps each as its own column
            (`...#0`, `...#1`).
        epochs: the training budgets wanted; all of them if empty.
        columns: metric columns by the names a table has for them.
        declared: by metric column, what the user says of it; it goes before the catalog.
        space: what to file whole networks under; the source's name if empty.
        inputs: shapes of a network's inputs without the batch, where its file leaves them open.
        skip_bad: go on after a bad record, counting it, rather than stop.
        skipped: how many were left out.
        notes: lines that a reader leaves for the user, as on values it had to leave empty.
        advance: called with the number of bytes of the source that were just read.
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
    advance: Callable[[int], None] = _unheard

    @property
    def everything(self) -> bool:
        """Whether all of a source is wanted as it is."""
        narrowed = self.epochs or self.columns or self.declared or self.skip_bad
        return self.repeat == "mean" and not narrowed

    def wants(self, epochs: int) -> bool:
        """Return whether a training budget is wanted."""
        return not self.epochs or epochs in self.epochs

    def bad(self, path: Path, record: int | str, reason: object) -> None:
        """Refuse a record (counted from 1), or count it where the user asked to go on.

        Raises:
            SnapError: naming the file and the record, unless `skip_bad`.
        """
        if not self.skip_bad:
            raise SnapError(f"{path}: record {record}: {reason}; --skip-bad goes on without it")
        self.skipped += 1


class Format(ABC):
    """Reads one kind of file or folder.

    Attributes:
        title: what it is, for the list of what was looked for.
        benchmark: name of the catalogued benchmark its rows belong to.
        by_hand: whether users write such files, so that units have to be checked.
    """

    title: ClassVar[str]
    benchmark: ClassVar[str]
    by_hand: ClassVar[bool] = False

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """Return, from names and first bytes, whether a path is of this format; never raises."""

    @abstractmethod
    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the architectures.

        Raises:
            SnapError: the file is damaged, or a record is bad and not to be skipped.
        """

    def facts(self, path: Path) -> Benchmark:
        """Return what is known of the benchmark: its catalog entry, or what the file itself says.

        Raises:
            SnapError: the file is damaged.
        """
        return catalogued(self.benchmark)

    def files(self, path: Path) -> list[Path]:
        """Return the files that are read, in the order of their names."""
        return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())

    def metadata(self, path: Path) -> Mapping[str, str]:
        """Return further entries of the table's metadata."""
        return {}


def fault(error: Exception) -> str:
    """Say in one line what is wrong with a record."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return f"lacks {reason}" if isinstance(error, KeyError) else reason
