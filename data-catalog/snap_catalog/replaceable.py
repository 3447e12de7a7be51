"""Decide whether an output may replace an existing file: only a file of the same kind."""

from collections.abc import Hashable
from pathlib import Path

from snap_catalog.errors import SnapError
from snap_catalog.nested import parse_json

_HEAD = 4096
_SIGNATURES = {b"\x89PNG": "png", b"<?xml": "svg", b"<svg": "svg", b"<!doctype html": "html"}
_PARQUET = b"PAR1"


def check_regular(path: Path) -> None:
    """Refuse an output path that is a folder, a device or another non-regular file.

    Raises:
        SnapError: names the path.
    """
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "not a regular file"
        raise SnapError(f"{path}: is {kind}, which cannot be replaced; choose another file name")


def check_alike(old: Path, new: Path) -> None:
    """Refuse to replace a file of another kind.

    Raises:
        SnapError: names the file.
    """
    if old.is_file() and old.stat().st_size and kind(old) != kind(new):
        raise refusal(old)


def check_first_key(path: Path, key: str) -> None:
    """Refuse an existing output that is not a JSON object beginning with a key.

    Raises:
        SnapError: names the file.
    """
    check_regular(path)
    if path.exists() and path.stat().st_size and kind(path) != ("json", key):
        raise refusal(path)


def refusal(path: Path) -> SnapError:
    """Return the error for a file that must not be replaced."""
    return SnapError(
        f"{path}: exists and is of another kind; choose another file name or remove it"
    )


def kind(path: Path) -> Hashable:
    """Return the kind of a file, from its contents alone.

    Parquet files differ by contract, JSON files by first key, CSV files by header.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_PARQUET):
        return "parquet", _contract(path)
    found = [name for magic, name in _SIGNATURES.items() if head.lower().startswith(magic)]
    if found:
        return found[0]
    if head.lstrip()[:1] == b"{":
        return "json", _first_key(path)
    if b"\0" in head:
        return "binary"
    return ("csv", head.partition(b"\n")[0].strip()) if path.suffix == ".csv" else "text"


def _contract(path: Path) -> str | None:
    from snap_catalog.parquet import claim

    try:
        return claim(path)
    except SnapError:
        return None


def _first_key(path: Path) -> str | None:
    try:
        entries: dict[str, object] = parse_json(path.read_bytes())
    except ValueError:
        return None
    return next(iter(entries), None)
