"""Append records as lines of JSON to files that several processes write to."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import msgspec
import pyarrow as pa
from filelock import FileLock, Timeout
from msgspec import Meta, Struct
from snap_catalog import SnapError
from snap_catalog.console import say
from snap_catalog.parquet import readable
from snap_catalog.schemas import contract

_Record = TypeVar("_Record", bound=Struct)
_DAMAGES = (msgspec.DecodeError, UnicodeError, RecursionError)
_Moment = Annotated[datetime, Meta(tz=True)]
_BLOCK = 4096
"""Bytes at the end of a file that are read at a time, which hold most last lines."""
_Count = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of `measurements.jsonl`, as in the `measurements` contract.

    The costs of a measurement precede its metric: if the metric is recorded, so are they all.
    """

    space: str
    arch_id: str
    metric: str
    value: float | None
    seconds: Annotated[float, Meta(ge=0)] | None
    at: _Moment
    attempt: _Count
    note: str = ""


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of `asked.jsonl`: an architecture that is to be measured.

    Attributes:
        number: 1, 2, ... in the order of proposing.
        arch_id: the architecture.
        at: when it was proposed, in UTC.
        by: the command that proposed it: `run`, which measures, or `ask`, for the user.
    """

    number: _Count
    arch_id: str
    at: _Moment
    by: str


class JsonLines(Generic[_Record]):
    """A file with one JSON object per line.

    Lines are appended and synchronised with the disk, and never changed. If a writer is killed, the
    next writer removes its incomplete last line. The caller must hold a lock.
    """

    def __init__(self, path: Path, kind: type[_Record]) -> None:
        self.path = path
        self._decoder = msgspec.json.Decoder(kind)

    def read(self) -> list[_Record]:
        """Return all records.

        Raises:
            SnapError: the file is missing, or lines of it are damaged.
        """
        with readable(self.path, "journal"):
            *lines, rest = self.path.read_bytes().split(b"\n")
        records, damaged, reason = [], [], ""
        for number, line in enumerate(lines, start=1):
            try:
                records.append(self._decoder.decode(line))
            except _DAMAGES as error:
                damaged.append(number)
                reason = reason or f"line {number}: {error}"
        if damaged:
            numbers = ", ".join(map(str, damaged[:5])) + (", ..." if len(damaged) > 5 else "")
            raise SnapError(
                f"{self.path}: {len(damaged):,} of {len(lines):,} lines are damaged: {numbers} "
                f"({reason}); correct them, or delete what cannot be corrected"
            )
        whole = self._whole(rest)
        return records if whole is None else [*records, whole]

    def append(self, records: Sequence[_Record]) -> None:
        """Append records; when this returns they are on the disk.

        Raises:
            SnapError: the file cannot be written.
        """
        text = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        try:
            ending = self._repair()
            with self.path.open("ab") as file:
                file.write(ending + text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SnapError(
                f"{self.path}: cannot be written ({reason}); make room, or check its permissions"
            ) from error

    def _repair(self) -> bytes:
        """Remove an incomplete last line; return the line end that a complete one still needs."""
        size, rest = self.path.stat().st_size, self._unfinished_line()
        if not rest:
            return b""
        if self._whole(rest) is not None:
            return b"\n"
        os.truncate(self.path, size - len(rest))
        say(f"{self.path}: removed an incomplete last line, left by a writer that was killed")
        return b""

    def _unfinished_line(self) -> bytes:
        """Return what follows the last end of a line, reading no more than the file's end."""
        with self.path.open("rb") as file:
            begin, rest = file.seek(0, os.SEEK_END), b""
            while begin and b"\n" not in rest:
                end, begin = begin, max(begin - _BLOCK, 0)
                file.seek(begin)
                rest = file.read(end - begin) + rest
        return rest.rpartition(b"\n")[2]

    def _whole(self, rest: bytes) -> _Record | None:
        """Return the record of a line without end, or None if it is incomplete."""
        try:
            return self._decoder.decode(rest)
        except _DAMAGES:
            return None


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock that ends with the process that holds it.

    Args:
        path: the lock's file, which stays.
        wait: whether to wait for the process that holds it.

    Raises:
        SnapError: the file cannot be written; or, without waiting, another process holds the lock.
    """
    lock = FileLock(path, timeout=-1 if wait else 0)
    try:
        held = lock.acquire()
    except Timeout as error:
        raise SnapError(
            f"{path.parent}: another snap-evo is measuring here; wait for it or end it"
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SnapError(f"{path}: cannot be locked ({reason}); choose another folder") from error
    with held:
        yield


def as_table(entries: Sequence[Entry]) -> pa.Table:
    """Return entries as rows of the `measurements` contract."""
    rows = [msgspec.structs.asdict(entry) for entry in entries]
    return pa.Table.from_pylist(rows, contract("measurements").schema())
