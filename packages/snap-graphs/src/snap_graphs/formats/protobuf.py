"""Decode the wire format of protocol buffers."""

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
        The number of a field and its value: an int for a varint, a float for eight bytes, start and
        end positions for strings and nested messages. Fields of four bytes are skipped.

    Raises:
        ValueError: the message is invalid.
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
            raise ValueError(f"unknown wire type {kind}")
        if at > end:
            raise ValueError("the protocol buffer is truncated")
        if value is not None:
            yield tag >> 3, value


def _varint(message: Buffer, at: int, end: int) -> tuple[int, int]:
    """Return the number at a position, and its end."""
    if at < end and message[at] < 0x80:  # the common case, three times as fast as the loop
        return message[at], at + 1
    value = 0
    for place, byte in enumerate(message[at : min(end, at + _LONGEST_VARINT)]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("the protocol buffer has an incomplete number")


def spans(message: Buffer, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the positions of the fields of a message without decoding them.

    Args:
        message: the encoded bytes.
        at: where the message begins.
        end: where it ends.

    Yields:
        The number of a field, its start, the start of its content (for strings and nested messages
        after the length), and its end.

    Raises:
        ValueError: the message is invalid.
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
            raise ValueError(f"unknown wire type {kind}")
        if at > end:
            raise ValueError("the protocol buffer is truncated")
        yield tag >> 3, first, content, at


def nested(number: int, content: bytes) -> bytes:
    """Encode a field that holds a message or a string."""
    return _encoded(number << 3 | _BYTES) + _encoded(len(content)) + content


def _encoded(number: int) -> bytes:
    """Encode a non-negative number as a varint."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])
