from pathlib import Path

import pyarrow as pa
import pytest
from snap_graphs import convert as module
from snap_graphs import sources
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty cache where conversions are kept."""
    monkeypatch.setenv("SNAP_CACHE", str(tmp_path))
    return tmp_path / "converted"


def test_what_is_kept_equals_what_is_converted(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = convert("nb201")
    (file,) = kept.iterdir()
    monkeypatch.setattr(module, "_converted", lambda *_: pytest.fail("converted again"))
    second = convert("nb201")
    assert second.equals(first, check_metadata=True)
    assert [path.name for path in kept.iterdir()] == [file.name]


def test_a_damaged_file_is_converted_and_written_again(kept: Path) -> None:
    first = convert("nb201")
    (file,) = kept.iterdir()
    file.write_bytes(b"PAR1 no more")
    assert convert("nb201").equals(first)
    assert file.stat().st_size > 100_000


def test_what_another_version_kept_goes_when_its_source_is_converted_again(kept: Path) -> None:
    kept.mkdir()
    convert("nb201")
    (file,) = kept.iterdir()
    old = file.with_name(f"{file.name.rsplit('-', 1)[0]}-0123456789abcdef.parquet")
    file.rename(old)
    mine = kept / "mine.parquet"
    mine.write_bytes(b"of somebody else")
    convert("nb201")
    assert sorted(kept.iterdir()) == sorted([file, mine])


def test_a_cache_that_cannot_be_written_changes_nothing(
    unwritable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAP_CACHE", str(unwritable / "cache"))
    assert convert("nb201").num_rows == 15_625


def test_a_part_of_a_source_is_not_kept(kept: Path) -> None:
    table = convert("nb201", request=Request(skip_bad=True))
    assert isinstance(table, pa.Table)
    assert not kept.exists()


def test_a_source_of_ones_own_is_converted_whatever_is_installed(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "own.csv"
    source.write_text("arch\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|\n")
    monkeypatch.setattr(sources, "_check", lambda *_: pytest.fail("the installed package was read"))
    assert convert("nb201", source).num_rows == 1
    assert not kept.exists()
