import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nb101_tfrecord import varint
from snap_graphs.formats.protobuf import Value, fields


def read(message: bytes) -> list[tuple[int, Value]]:
    return list(fields(message, 0, len(message)))


@given(st.integers(0, 2**64 - 1), st.integers(1, 2**29 - 1))
def test_numbers_come_back_with_their_field(value: int, number: int) -> None:
    assert read(varint(number << 3) + varint(value)) == [(number, value)]


@given(st.floats(allow_nan=False))
def test_doubles_come_back(value: float) -> None:
    assert read(b"\x11" + struct.pack("<d", value)) == [(2, value)]


def test_nested_messages_come_as_positions_and_four_bytes_are_passed_over() -> None:
    message = b"\x0a\x03abc" + b"\x15\x00\x00\x00\x00" + b"\x10\x07"
    (number, span), last = read(message)
    assert isinstance(span, tuple)
    assert (number, message[slice(*span)], last) == (1, b"abc", (2, 7))


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    with contextlib.suppress(ValueError):
        read(message)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (b"\x11\x00", "truncated"),
        (b"\x0a\x7fabc", "truncated"),
        (b"\x08\xff", "incomplete number"),
        (b"\x08" + b"\xff" * 20, "incomplete number"),
        (b"\x0b", "unknown wire type 3"),
    ],
)
def test_a_damaged_message_is_refused(message: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read(message)
