import bz2
import gzip
import struct
from collections import deque
from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_catalog.unpacking import open_bounded

BOMB = 1 << 27
"""Bytes of nothing, which pack to a thousandth."""


def test_a_bounded_stream_unpacks_and_refuses_damage(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for packed in (b"lines\n" * 9, gzip.compress(b"lines\n" * 9), bz2.compress(b"lines\n" * 9)):
        path.write_bytes(packed)
        with open_bounded(path) as stream:
            assert stream.read() == b"lines\n" * 9
    path.write_bytes(gzip.compress(b"lines\n" * 99)[:-9])
    with open_bounded(path) as stream, pytest.raises(SnapError, match="a: cannot be unpacked"):
        stream.read()
    path.write_bytes(gzip.compress(b"")[:8] + struct.pack("<I", 7))
    with open_bounded(path) as stream, pytest.raises(SnapError, match="a: cannot be unpacked"):
        stream.read()


def test_a_bounded_stream_stops_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(bytes(BOMB)))
    with open_bounded(path) as stream, pytest.raises(SnapError, match=r"bomb\.csv\.gz: unpacks to"):
        deque(iter(lambda: stream.read(1 << 20), b""), maxlen=0)
