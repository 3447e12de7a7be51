"""The wire format of protocol buffers, as far as benchmarks use it."""

import mmap
import struct
from collections.abc import Iterator

_DOUBLE = struct.Struct("<d")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10

Value = int | float | tuple[int, int]
Buffer = bytes | mmap.mmap


def fields(message: bytes, at: int, end: int) -> Iterator[tuple[int, Value]]:
    """Yield the fields of a message, or of one nested in it.

    Args:
        message: the encoded bytes.
        at: where the message begins.
        end: where it ends.

    Yields:
        A field's number and its value: an int for a varint, a float for eight bytes, and for
        strings and nested messages the positions where they begin and end. Fields of four bytes
        are passed over.

    Raises:
        ValueError: the bytes are no such message.
    """
    while at < end:
        tag, at = _varint(message, at, end)
        kind, value = tag & 7, None
        if kind == _FIXED64:
            at, start = at + 8, at
            if at <= end:
                value = _DOUBLE.unpack_from(message, start)[0]
        elif kind == _BYTES:
            length, start = _varint(message, at, end)
            at = start + length
            value = start, at
        elif kind == _VARINT:
            value, at = _varint(message, at, end)
        elif kind == _FIXED32:
            at += 4
        else:
            raise ValueError(f"a protocol buffer has no wire type {kind}")
        if at > end:
            raise ValueError("the protocol buffer is truncated")
        if value is not None:
            yield tag >> 3, value


def _varint(message: Buffer, at: int, end: int) -> tuple[int, int]:
    """Return the number that begins at a position, and where it ends."""
    if at < end and message[at] < 0x80:  # nearly all are; the loop alone takes three times as long
        return message[at], at + 1
    value = 0
    for place, byte in enumerate(message[at : min(end, at + _LONGEST_VARINT)]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("the protocol buffer has an unfinished number")


def spans(message: Buffer, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield where the fields of a message, or of one nested in it, lie; decode none.

    Args:
        message: the encoded bytes.
        at: where the message begins.
        end: where it ends.

    Yields:
        A field's number, where it begins, where its content begins (for strings and nested
        messages after their length), and where it ends.

    Raises:
        ValueError: the bytes are no such message.
    """
    while at < end:
        first = at
        tag, at = _varint(message, at, end)
        kind, content = tag & 7, at
        if kind == _BYTES:
            length, content = _varint(message, at, end)
            at = content + length
        elif kind == _VARINT:
            _, at = _varint(message, at, end)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a protocol buffer has no wire type {kind}")
        if at > end:
            raise ValueError("the protocol buffer is truncated")
        yield tag >> 3, first, content, at


def nested(number: int, content: bytes) -> bytes:
    """Encode a field that holds a message or a string."""
    return _encoded(number << 3 | _BYTES) + _encoded(len(content)) + content


def _encoded(number: int) -> bytes:
    """Encode a number from 0 on as a varint."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])
