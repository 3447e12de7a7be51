import bz2
import io
import os
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_graphs.formats.archives import decompress_bz2, members

CONTENT = {"run/a.bin": b"first" * 100, "run/sub/b.bin": b"", "run/z.bin": bytes(range(256))}
Change = Callable[[tarfile.TarInfo], None]


def tar(path: Path, mode: str = "w", *changes: Change) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in CONTENT.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for change in changes:
                change(info)
            archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return path


def zipped(path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("run")
        for name, content in CONTENT.items():
            archive.writestr(name, content)
    return path


def folder(path: Path) -> Path:
    for name, content in CONTENT.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "make",
    [
        folder,
        tar,
        lambda path: tar(path, "w:gz"),
        lambda path: tar(path, "w:bz2"),
        zipped,
        lambda path: zipped(path, zipfile.ZIP_STORED),
    ],
)
def test_a_folder_and_every_archive_give_the_same_members(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    assert dict(members(make(tmp_path / "archive"))) == CONTENT


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_every_truncation_of_a_tar_is_refused(tmp_path: Path, mode: str) -> None:
    whole = tar(tmp_path / "whole.tar", mode).read_bytes()
    end = len(whole) if mode != "w" else 5 * 512 + 512
    cut = tmp_path / "cut.tar"
    for length in range(0, end - 1, 53):
        cut.write_bytes(whole[:length])
        with pytest.raises(SnapError, match=r"cut\.tar: "):
            list(members(cut))


def test_every_truncation_of_a_zip_is_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "whole.zip").read_bytes()
    cut = tmp_path / "cut.zip"
    for length in range(0, len(whole) - 1, 7):
        cut.write_bytes(whole[:length])
        with pytest.raises(SnapError, match=r"cut\.zip: "):
            list(members(cut))


def renamed(name: str) -> Change:
    return lambda info: setattr(info, "name", name)


def kind(code: bytes) -> Change:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = code, "/etc/passwd", 0

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (renamed("/etc/passwd"), "'/etc/passwd' leads outside the archive"),
        (renamed("../evil"), "'../evil' leads outside the archive"),
        (renamed("run/../../evil"), "leads outside the archive"),
        (renamed("C:\\evil"), "leads outside the archive"),
        (renamed("..\\evil"), "leads outside the archive"),
        (renamed("same"), "'same' is repeated"),
        (kind(tarfile.SYMTYPE), "is not a regular file"),
        (kind(tarfile.LNKTYPE), "is not a regular file"),
        (kind(tarfile.CHRTYPE), "is not a regular file"),
        (kind(tarfile.FIFOTYPE), "is not a regular file"),
        (kind(tarfile.GNUTYPE_SPARSE), "is sparse"),
    ],
)
def test_a_tar_member_that_escapes_or_is_no_file_is_refused_by_name(
    tmp_path: Path, change: Change, fault: str
) -> None:
    path = tar(tmp_path / "evil.tar", "w", change)
    with pytest.raises(SnapError) as caught:
        list(members(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert fault in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.tar"]


@pytest.mark.parametrize(
    ("name", "fault"),
    [("/etc/passwd", "leads out"), ("../evil", "leads out"), ("a/../../evil", "leads out")],
)
def test_a_zip_member_that_escapes_is_refused_by_name(
    tmp_path: Path, name: str, fault: str
) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(SnapError, match=fault):
        list(members(path))


def test_a_zip_member_that_is_a_link_or_packed_strangely_or_comes_twice_is_refused(
    tmp_path: Path,
) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "evil.zip"
    for method, fault in ((zipfile.ZIP_LZMA, "method 14"), (zipfile.ZIP_BZIP2, "method 12")):
        zipped(path, method)
        with pytest.raises(SnapError, match=fault):
            list(members(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(SnapError, match="'link' is not a regular file"):
        list(members(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"2")
    with pytest.raises(SnapError, match="'a' is repeated"):
        list(members(path))


def test_an_encrypted_or_damaged_zip_member_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "evil.zip", zipfile.ZIP_STORED)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"firstfirst", b"firstfirsT", 1))
    with pytest.raises(SnapError, match="Bad CRC-32"):
        list(members(path))
    central = whole.index(b"PK\x01\x02", whole.index(b"PK\x01\x02") + 4)
    path.write_bytes(whole[: central + 8] + b"\x01" + whole[central + 9 :])
    with pytest.raises(SnapError, match="is encrypted"):
        list(members(path))


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    folder(tmp_path / "f")
    (tmp_path / "f/link").symlink_to("/etc/passwd")
    with pytest.raises(SnapError, match="'link' is a link"):
        list(members(tmp_path / "f"))


def test_a_pipe_in_a_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SnapError, match="'pipe' is not a regular file"):
        list(members(tmp_path))


@pytest.mark.parametrize("make", [folder, tar, zipped])
def test_a_member_over_the_limit_is_refused_by_name(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    with pytest.raises(SnapError, match=r"'run/a\.bin' has 500 bytes, more than the 499"):
        list(members(make(tmp_path / "archive"), 499))


BOMB = 70 << 20
"""More than is allowed whatever the size of the file."""


def _peak(path: Path) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(SnapError, match=r"unpacks to more than 67,108,864 bytes"):
            list(members(path))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_compressed_tar_that_unpacks_to_far_more_than_its_size_is_refused(
    tmp_path: Path,
) -> None:
    small = 1 << 20
    for mode in ("w:gz", "w:bz2"):
        with tarfile.open(tmp_path / "bomb", mode) as archive:
            for number in range(BOMB // small):
                info = tarfile.TarInfo(str(number))
                info.size = small
                archive.addfile(info, io.BytesIO(bytes(small)))
        assert _peak(tmp_path / "bomb") < BOMB * 2


def test_a_zip_that_unpacks_to_far_more_than_its_size_is_refused_before_unpacking(
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(tmp_path / "bomb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(BOMB))
    assert _peak(tmp_path / "bomb") < 1 << 20


def test_a_tar_header_that_claims_100_gigabytes_is_refused_without_allocating(
    tmp_path: Path,
) -> None:
    path = tmp_path / "evil.tar"
    for code in (tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE):
        info = tarfile.TarInfo("huge")
        info.type, info.size = code, 100 << 30
        path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
        tracemalloc.start()
        with pytest.raises(SnapError, match=r"'huge' has 107,374,182,400 bytes"):
            list(members(path))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()


def test_a_damaged_header_in_the_middle_does_not_end_a_tar_quietly(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar")
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"run/z.bin")] ^= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(SnapError, match="where a member or the end should be"):
        list(members(path))


def test_a_missing_archive_and_one_of_another_kind_are_told(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match="no such file"):
        list(members(tmp_path / "none.tar"))
    other = tmp_path / "other"
    other.write_bytes(b"plain text" * 200)
    with pytest.raises(SnapError, match="other: cannot be unpacked"):
        list(members(other))


def test_bzip2_data_comes_back_from_one_stream_or_several() -> None:
    assert decompress_bz2(bz2.compress(b"abc") + bz2.compress(b"def"), 6, "x") == b"abcdef"
    assert decompress_bz2(bz2.compress(b""), 0, "x") == b""


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "truncated"),
        (b"junk", "not bzip2 data"),
        (bz2.compress(b"abc" * 9)[:-1], "truncated"),
        (bz2.compress(b"abc") + b"junk", "not bzip2 data"),
        (bz2.compress(bytes(101)), "unpacks to more than 100 bytes"),
        (bz2.compress(bytes(50)) * 3, "unpacks to more than 100 bytes"),
        (bz2.compress(bytes(100 << 20)), "unpacks to more than 100 bytes"),
    ],
)
def test_hostile_bzip2_data_is_refused_by_name(data: bytes, fault: str) -> None:
    with pytest.raises(SnapError, match=f"x.pbz2: .*{fault}"):
        decompress_bz2(data, 100, "x.pbz2")
