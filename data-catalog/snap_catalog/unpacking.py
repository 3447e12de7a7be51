"""Read compressed files with a limit on the unpacked size."""

import bz2
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from snap_catalog.errors import SnapError

_RATIO, _ALWAYS = 200, 1 << 26
"""A file may unpack to this multiple of its size, or to this many bytes if that is larger."""


@contextmanager
def open_bounded(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacking gzip and bzip2 up to a limit.

    Raises:
        SnapError: the file cannot be read, is damaged, or unpacks to more than 200 times its size
            (64 MiB are always allowed).
    """
    begin = magic(path)
    with path.open("rb") as packed:
        stream: BinaryIO = packed
        if begin.startswith(b"\x1f\x8b"):
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=packed))
        elif begin.startswith(b"BZh"):
            stream = cast(BinaryIO, bz2.BZ2File(packed))
        yield cast(BinaryIO, _Bounded(stream, path, total_limit(path)))


class _Bounded(io.RawIOBase):
    """Reads from a stream up to a limit."""

    def __init__(self, stream: BinaryIO, path: Path, limit: int) -> None:
        self._stream, self._path, self._left, self._limit = stream, path, limit, limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left + 1 if size < 0 else size
        try:
            block = self._stream.read(wanted)
        except MemoryError:
            raise
        except Exception as error:  # a damaged file raises whatever its fields lead to
            raise damaged(self._path, error) from error
        self._left -= len(block)
        if self._left < 0:
            raise SnapError(f"{self._path}: unpacks to more than {self._limit:,} bytes; refused")
        return block

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def magic(path: Path) -> bytes:
    """Return a file's first four bytes.

    Raises:
        SnapError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(4)
    except FileNotFoundError as error:
        raise SnapError(f"{path}: no such file") from error
    except OSError as error:
        raise SnapError(f"{path}: cannot be read ({error.strerror})") from error


def total_limit(path: Path) -> int:
    """Return the limit on the unpacked size of a file, in bytes."""
    return max(_ALWAYS, _RATIO * path.stat().st_size)


def damaged(path: Path, error: Exception) -> SnapError:
    """Return the error for a file that cannot be unpacked."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return SnapError(f"{path}: cannot be unpacked ({reason}); fetch the file again")
