"""Cache vectors in a file that all runs share."""

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from snap_catalog.cache import cache_folder
from snap_catalog.console import say

_T = TypeVar("_T")
_FILE = "vectors.sqlite"
_AT_ONCE, _PATIENCE = 500, 10.0
"""Texts per query, and seconds to wait for another run."""
_TABLE = """
CREATE TABLE IF NOT EXISTS vectors (
    model BLOB, text BLOB, vector BLOB, checksum INTEGER, PRIMARY KEY (model, text)
)
"""


class VectorCache:
    """The vectors of one model by text.

    The cache only saves time. If it cannot be read or written, it reports that in one line and
    stays empty; if it is damaged, it is recreated.
    """

    def __init__(self, key: str, *, quiet: bool) -> None:
        """Choose a model by its `Model.key`; if `quiet`, failures of the cache are not reported."""
        self._model, self._quiet = bytes.fromhex(key), quiet
        self._path = cache_folder() / _FILE
        self._usable = True

    def get(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the cached vectors, shape (d,), by text."""
        nothing: dict[str, NDArray[np.float32]] = {}
        return self._try(lambda database: dict(self._read(database, texts)), nothing)

    def put(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Store the vectors of texts."""
        blobs = {text: vector.astype("<f4").tobytes() for text, vector in vectors.items()}
        rows = [(self._model, _digest(t), blob, zlib.crc32(blob)) for t, blob in blobs.items()]
        store = "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)"
        self._try(lambda database: database.executemany(store, rows), None)

    def _read(
        self, database: sqlite3.Connection, texts: Sequence[str]
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        by_digest = {_digest(text): text for text in texts}
        digests = list(by_digest)
        for start in range(0, len(digests), _AT_ONCE):
            asked = digests[start : start + _AT_ONCE]
            query = (
                "SELECT text, vector, checksum FROM vectors WHERE model = ? AND text IN "
                f"({', '.join('?' * len(asked))})"
            )
            for digest, blob, checksum in database.execute(query, (self._model, *asked)):
                if zlib.crc32(blob) != checksum:
                    raise sqlite3.DatabaseError("a vector has a wrong checksum")
                yield by_digest[digest], np.frombuffer(blob, "<f4")

    def _try(self, work: Callable[[sqlite3.Connection], _T], otherwise: _T) -> _T:
        if not self._usable:
            return otherwise
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, _PATIENCE)) as database, database:
                database.execute(_TABLE)
                return work(database)
        except (OSError, sqlite3.OperationalError) as error:
            self._give_up(error)
        except sqlite3.DatabaseError as error:
            self._recreate(error)
        return otherwise

    def _recreate(self, fault: sqlite3.DatabaseError) -> None:
        say(f"{self._path}: damaged ({fault}); recreating it", quiet=self._quiet)
        try:
            # Remove the journal first, or it would be replayed into the new file.
            self._path.with_name(f"{_FILE}-journal").unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._usable = False
        say(f"{self._path}: cannot store vectors here ({error})", quiet=self._quiet)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
