"""Read the records of a large JSON file one at a time."""

import codecs
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snap_catalog import SnapError
from snap_catalog.unpacking import open_bounded

_BLOCK = 1 << 20
_LONGEST = 1 << 26
"""Characters of one record beyond which a file is refused."""
_BLANK = " \t\r\n"
_AFTER = frozenset(",:]}" + _BLANK)
"""Characters that may follow a value; others may belong to a truncated number."""


def json_records(path: Path) -> Iterator[Any]:
    """Yield the elements of a JSON array, or of the arrays that are an object's values, in turn.

    Memory grows with the longest record, not with the file.

    Raises:
        SnapError: the file has another structure, is truncated, or has a record over 64 MiB.
    """
    with _reading(path) as reader:
        yield from reader.records()


def json_entries(path: Path, depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the values at a depth of nested JSON objects, each with its keys.

    Memory grows with the longest value, not with the file.

    Raises:
        SnapError: the file has another structure, is truncated, or has a value over 64 MiB.
    """
    with _reading(path) as reader:
        yield from reader.entries(depth)


@contextmanager
def _reading(path: Path) -> Iterator["_Reader"]:
    try:
        with open_bounded(path) as stream:
            yield _Reader(path, stream)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SnapError(f"{path}: cannot be read as JSON ({error}); fetch it again") from error


class _Reader:
    """Incremental parser of a JSON file."""

    def __init__(self, path: Path, stream: Any) -> None:
        self._path, self._stream = path, stream
        self._text, self._at, self._used = "", 0, 0
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._parse = json.JSONDecoder().raw_decode

    def records(self) -> Iterator[Any]:
        """Yield the records."""
        if self._next() == "[":
            yield from self._array()
        else:
            for _ in self._keys():
                yield from self._array()
        self._end()

    def entries(self, depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Yield the values at a depth, with their keys."""
        yield from self._nested((), depth)
        self._end()

    def _nested(self, keys: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
        if depth == 0:
            yield keys, self._value()
        else:
            for key in self._keys():
                yield from self._nested((*keys, key), depth - 1)

    def _keys(self) -> Iterator[str]:
        """Yield the keys of an object; the caller takes the value after each."""
        self._expect("{")
        more = self._next() != "}"
        while more:
            key = self._value()
            if not isinstance(key, str):
                raise self._refused("a key is not text")
            self._expect(":")
            yield key
            more = self._next() == ","
            if more:
                self._expect(",")
        self._expect("}")

    def _end(self) -> None:
        if self._next():
            raise self._refused("there is more data after its end")

    def _array(self) -> Iterator[Any]:
        self._expect("[")
        if self._next() != "]":
            yield self._value()
            while self._next() == ",":
                self._expect(",")
                yield self._value()
        self._expect("]")

    def _fill(self) -> bool:
        """Read another block; return whether there was one."""
        block = self._stream.read(max(_BLOCK, len(self._text) - self._at))
        self._used += self._at
        self._text = self._text[self._at :] + self._decode(block, final=not block)
        self._at = 0
        if len(self._text) > _LONGEST + _BLOCK:
            raise self._refused(f"a record is longer than {_LONGEST:,} characters")
        return bool(block)

    def _next(self) -> str:
        """Return the next non-blank character without consuming it; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def _expect(self, character: str) -> None:
        found = self._next()
        if found != character:
            there = repr(found) if found else "its end"
            raise self._refused(f"expected {character!r}, found {there}")
        self._at += 1

    def _value(self) -> Any:
        """Consume one value; read on while it is truncated."""
        self._next()
        more = True
        while True:
            try:
                value, end = self._parse(self._text, self._at)
                if self._text[end : end + 1] in _AFTER or not more:
                    self._at = end
                    return value
                more = self._fill()
            except (ValueError, RecursionError) as error:
                if not more or isinstance(error, RecursionError):
                    raise self._refused(" ".join(str(error).split())[:80]) from error
                more = self._fill()

    def _refused(self, reason: str) -> SnapError:
        place = self._used + self._at
        return SnapError(f"{self._path}: not JSON records at character {place:,} ({reason})")
