"""Checksums of files."""

import hashlib
from pathlib import Path

import pytest
from snap_catalog.checksums import file_sha256


def test_one_file_and_several(tmp_path: Path) -> None:
    contents = [b"one" * 300_000, b"", b"two"]
    paths = [tmp_path / str(number) for number in range(3)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    assert file_sha256(paths[0]) == hashlib.sha256(contents[0]).hexdigest()
    assert file_sha256(*paths) == hashlib.sha256(b"".join(contents)).hexdigest()


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        file_sha256(tmp_path / "none")
