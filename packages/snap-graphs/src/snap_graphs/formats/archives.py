"""Read the members of folders, tar and zip files without trusting them."""

import bz2
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from snap_catalog import SnapError
from snap_catalog.unpacking import damaged, magic, open_bounded, total_limit

MEMBER_LIMIT = 1 << 28
"""Default limit on the size of a member, in bytes."""
_EXTENSION_LIMIT = 1 << 16
"""Limit on a tar header's extension (a long name, pax records), in bytes."""
_EXTENSIONS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


def members(path: Path, limit: int = MEMBER_LIMIT, suffix: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder (sorted by name), a tar (plain, gzip or bzip2) or a zip file.

    Only one member is in memory at a time, and nothing is written to disk.

    Args:
        path: the folder or archive; its first bytes determine the format.
        limit: maximum size of a member, in bytes.
        suffix: read only members whose names end with it.

    Yields:
        The relative name of a member, with forward slashes, and its content.

    Raises:
        SnapError: names the member: it leads outside, is a link or a device, is repeated or
            truncated, exceeds `limit`, or the archive unpacks to far more than its size.
    """
    if path.is_dir():
        found = _folder_members(path, limit, suffix)
    elif magic(path).startswith(b"PK"):
        found = _zip_members(path, limit, suffix)
    else:
        found = _tar_members(path, limit, suffix)
    seen = set()
    for name, content in found:
        if name in seen:
            raise _refused(path, name, "is repeated")
        seen.add(name)
        yield name, content


def decompress_bz2(data: bytes, limit: int, name: str) -> bytes:
    """Unpack bzip2 data, one stream or several in a row.

    Args:
        data: the packed bytes.
        limit: maximum size of the result, in bytes.
        name: name of the data for errors.

    Raises:
        SnapError: the data are damaged or truncated, or exceed `limit`.
    """
    parts: list[bytes] = []
    left = limit
    while data or not parts:
        stream = bz2.BZ2Decompressor()
        try:
            part = stream.decompress(data, left + 1)
        except (OSError, ValueError) as error:
            raise SnapError(f"{name}: not bzip2 data; fetch the file again") from error
        if len(part) > left:
            raise SnapError(f"{name}: unpacks to more than {limit:,} bytes; refused")
        if not stream.eof:
            raise SnapError(f"{name}: the bzip2 data is truncated; fetch the file again")
        left -= len(part)
        parts.append(part)
        data = stream.unused_data
    return b"".join(parts)


def _folder_members(path: Path, limit: int, suffix: str) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_symlink():
            raise _refused(path, name, "is a link")
        if file.is_dir() or not name.endswith(suffix):
            continue
        if not file.is_file():
            raise _refused(path, name, "is not a regular file")
        _check_size(path, name, file.stat().st_size, limit)
        yield name, file.read_bytes()


class _TarInfo(tarfile.TarInfo):
    """A header with limits on the sizes that it states."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_TarInfo":
        try:
            info = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:  # which would end the archive without a word
            raise ValueError(f"{error}, where a member or the end should be") from error
        if info.size < 0 or (info.type in _EXTENSIONS and info.size > _EXTENSION_LIMIT):
            raise ValueError(f"header {info.name!r} has {info.size:,} bytes")
        if info.type == tarfile.GNUTYPE_SPARSE:
            raise ValueError(f"member {info.name!r} is sparse")
        return info


def _tar_members(path: Path, limit: int, suffix: str) -> Iterator[tuple[str, bytes]]:
    with open_bounded(path) as stream:
        try:
            tar = tarfile.open(fileobj=stream, mode="r|", tarinfo=_TarInfo)  # noqa: SIM115
            while (info := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]
                if not info.isdir() and info.name.endswith(suffix):
                    name = _safe_name(path, info.name, info.isreg() and not info.issparse())
                    yield name, _tar_content(path, tar, info, limit)
        except (SnapError, MemoryError):
            raise
        except Exception as error:  # a damaged archive raises whatever its fields lead to
            raise damaged(path, error) from error


def _tar_content(path: Path, tar: tarfile.TarFile, info: tarfile.TarInfo, limit: int) -> bytes:
    _check_size(path, info.name, info.size, limit)
    file = tar.extractfile(info)
    content = file.read() if file else b""
    if len(content) != info.size:
        raise _refused(path, info.name, "is truncated")
    return content


def _zip_members(path: Path, limit: int, suffix: str) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > total_limit(path):
                total = total_limit(path)
                raise SnapError(f"{path}: unpacks to more than {total:,} bytes; refused")
            for entry in entries:
                if entry.filename.endswith(suffix):
                    kind = stat.S_IFMT(entry.external_attr >> 16)
                    name = _safe_name(path, entry.filename, kind in (0, stat.S_IFREG))
                    yield name, zip_content(path, archive, entry, limit)
    except (SnapError, MemoryError):
        raise
    except Exception as error:  # a damaged archive raises whatever its fields lead to
        raise damaged(path, error) from error


def zip_content(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """Read one member of an open zip file after checking its header.

    Raises:
        SnapError: the member is too long, encrypted or uses an uncommon compression method.
    """
    _check_size(path, entry.filename, entry.file_size, limit)
    # Other methods let the file determine the memory for unpacking.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused(path, entry.filename, f"uses compression method {entry.compress_type}")
    if entry.flag_bits & 1:
        raise _refused(path, entry.filename, "is encrypted")
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise _refused(path, entry.filename, "does not have the length in its header")
    return content


def _safe_name(path: Path, name: str, is_regular: bool) -> str:
    parts = PurePosixPath(name).parts
    escapes = name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\0" in name
    if escapes or "\\" in name or not parts:
        raise _refused(path, name, "leads outside the archive")
    if not is_regular:
        raise _refused(path, name, "is not a regular file (a link, a device or sparse)")
    return "/".join(parts)


def _check_size(path: Path, name: str, size: int, limit: int) -> None:
    if not 0 <= size <= limit:
        raise _refused(path, name, f"has {size:,} bytes, more than the {limit:,} allowed")


def _refused(path: Path, name: str, reason: str) -> SnapError:
    return SnapError(f"{path}: member {name!r} {reason}; refused, fetch the file again")
