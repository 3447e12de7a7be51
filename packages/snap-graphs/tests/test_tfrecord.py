import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nb101_tfrecord import framed
from snap_catalog import SnapError
from snap_graphs.formats.base import Request
from snap_graphs.formats.tfrecord import RECORD_LIMIT, masked_crc, tfrecords

FRAMING = 16
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read(path: Path, request: Request | None = None) -> list[tuple[int, bytes]]:
    return list(tfrecords(path, request or Request()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tfrecord"


@same_folder
@given(st.lists(st.binary(max_size=50)))
def test_records_come_back_with_their_numbers(path: Path, records: list[bytes]) -> None:
    path.write_bytes(b"".join(map(framed, records)))
    assert read(path) == list(enumerate(records, start=1))


@same_folder
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with contextlib.suppress(SnapError):
        assert b"".join(framed(data) for _, data in read(path)) == content


@pytest.mark.parametrize("kept", range(1, FRAMING + 3))
def test_a_truncated_record_is_refused_by_number(path: Path, kept: int) -> None:
    path.write_bytes(framed(b"whole") + framed(b"cut")[:kept])
    with pytest.raises(SnapError, match="record 2 is truncated"):
        read(path, Request(skip_bad=True))


def test_a_length_with_a_wrong_checksum_is_refused(path: Path) -> None:
    path.write_bytes(framed(b"whole") + b"\x01" + framed(b"more")[1:])
    with pytest.raises(SnapError, match="record 2 has a length with a wrong checksum"):
        read(path)


@pytest.mark.parametrize(
    ("length", "fault"),
    [
        (2**63, "has a length of 9,223,372,036,854,775,808 bytes"),
        (RECORD_LIMIT + 1, "has a length of 1,048,577 bytes"),
        (RECORD_LIMIT, "is truncated"),
    ],
)
def test_an_absurd_length_is_refused_before_memory_is_taken(
    path: Path, length: int, fault: str
) -> None:
    header = struct.pack("<Q", length)
    path.write_bytes(header + struct.pack("<I", masked_crc(header)) + b"data")
    with pytest.raises(SnapError, match=f"record 1 {fault}"):
        read(path)


def test_data_with_a_wrong_checksum_are_a_bad_record(path: Path) -> None:
    damaged = bytearray(framed(b"damaged"))
    damaged[12] ^= 1
    path.write_bytes(framed(b"one") + damaged + framed(b"three"))
    with pytest.raises(SnapError, match="record 2: its data have a wrong checksum; add --skip-bad"):
        read(path)
    request = Request(skip_bad=True)
    assert read(path, request) == [(1, b"one"), (3, b"three")]
    assert request.skipped == 1


def test_the_checksum_is_the_one_of_the_format() -> None:
    """CRC32C of 32 zero bytes is 8A9136AA (RFC 3720, B.4), here rotated by 15 and shifted."""
    rotated = 0x8A9136AA >> 15 | (0x8A9136AA << 17) & 0xFFFFFFFF
    assert masked_crc(bytes(32)) == (rotated + 0xA282EAD8) % 2**32


def test_progress_adds_up_to_the_file(path: Path) -> None:
    path.write_bytes(framed(bytes(1000)) * 3000)
    steps: list[int] = []
    read(path, Request(advance=steps.append))
    assert len(steps) > 1
    assert sum(steps) == path.stat().st_size


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(SnapError, match="cannot be read"):
        read(path)
