"""Read TFRecord files without TensorFlow."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import google_crc32c
from snap_catalog import SnapError

from snap_graphs.formats.base import Request

RECORD_LIMIT = 1 << 20
"""Maximum size of a record in bytes; those of NAS-Bench-101 have a few hundred."""
_HEADER, _FOOTER = struct.Struct("<QI"), struct.Struct("<I")
_BUFFER = 1 << 20


def masked_crc(data: bytes) -> int:
    """Return the CRC32C of some bytes, rotated and shifted as TFRecord files store it."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def tfrecords(path: Path, request: Request) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a file, one in memory at a time.

    A record is a length (8 bytes), its checksum (4), data and their checksum (4). Data with a wrong
    checksum are a bad record; after a damaged length, reading must stop.

    Args:
        path: the file.
        request: decides on bad records and receives the progress.

    Yields:
        A record's number, counted from 1, and its data.

    Raises:
        SnapError: the file cannot be read, is truncated, or has an invalid length.
    """
    try:
        with path.open("rb", buffering=_BUFFER) as file:
            yield from _records(path, file, request)
    except OSError as error:
        raise SnapError(f"{path}: cannot be read ({error.strerror})") from error


def _records(path: Path, file: BinaryIO, request: Request) -> Iterator[tuple[int, bytes]]:
    left, number, unreported = os.fstat(file.fileno()).st_size, 0, 0
    while left:
        number += 1
        length = _length(path, number, file.read(_HEADER.size), left)
        data, footer = file.read(length), file.read(_FOOTER.size)
        size = _HEADER.size + length + _FOOTER.size
        left -= size
        unreported += size
        if unreported > _BUFFER or not left:
            request.advance(unreported)
            unreported = 0
        if _FOOTER.unpack(footer)[0] == masked_crc(data):
            yield number, data
        else:
            request.bad(path, number, "its data have a wrong checksum")


def _length(path: Path, number: int, header: bytes, left: int) -> int:
    if len(header) < _HEADER.size:
        raise _damaged(path, number, "is truncated")
    length, crc = _HEADER.unpack(header)
    if masked_crc(header[:8]) != crc:
        raise _damaged(path, number, "has a length with a wrong checksum")
    if length > RECORD_LIMIT:
        raise _damaged(path, number, f"has a length of {length:,} bytes")
    if _HEADER.size + length + _FOOTER.size > left:
        raise _damaged(path, number, "is truncated")
    return int(length)


def _damaged(path: Path, number: int, what: str) -> SnapError:
    return SnapError(f"{path}: record {number} {what}; fetch the file again")
