import contextlib
import stat
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import (
    check_writable,
    decode_metadata,
    make_folder,
    read,
    replacing,
    write,
)
from snap_catalog.schemas import Name, contract

NAMES: tuple[Name, ...] = get_args(Name)
Make = Callable[..., pa.Table]


@pytest.fixture
def scores(make: Make, tmp_path: Path) -> Path:
    path = tmp_path / "scores.parquet"
    write(make("scores"), path, "scores", producer="snap-catalog")
    return path


def _restamp(path: Path, **entries: str | None) -> None:
    """Change a file's metadata without the writer's checks; None drops an entry."""
    table = pq.read_table(path)
    metadata = decode_metadata(table.schema)
    changed = {f"snap.{key}": value for key, value in entries.items()}
    kept = {k: v for k, v in {**metadata, **changed}.items() if v is not None}
    pq.write_table(table.replace_schema_metadata(kept), path)


def _refusal(path: Path, name: Name = "scores", **options: Any) -> str:
    with pytest.raises(SnapError) as refusal:
        read(path, name, **options)
    message = str(refusal.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read_back_the_same(make: Make, tmp_path: Path, name: Name) -> None:
    table = make(name)
    write(table, tmp_path / "x.parquet", name, producer="snap-catalog")
    assert read(tmp_path / "x.parquet", name).equals(table)


def test_a_file_says_its_contract_version_and_producer_and_keeps_what_the_table_said(
    make: Make, tmp_path: Path
) -> None:
    table = make("scores").replace_schema_metadata({"snap.scorer": "gcn", "pandas": "{}"})
    path = tmp_path / "x.parquet"
    write(table, path, "scores", producer="snap-catalog", metadata={"snap.seed": "3"})
    assert decode_metadata(read(path, "scores").schema) == {
        "snap.scorer": "gcn",
        "snap.schema": "scores",
        "snap.schema_version": str(contract("scores").version),
        "snap.producer": f"snap-catalog {version('snap-catalog')}",
        "snap.seed": "3",
    }


def test_the_metadata_of_metric_columns_is_kept(make: Make, tmp_path: Path) -> None:
    field = pa.field("a/b/c", pa.float64(), metadata={"direction": "min", "unit": "ms"})
    table = make("graphs").append_column(field, pa.array([1.0, None]))
    write(table, tmp_path / "x.parquet", "graphs", producer="snap-catalog")
    read_back = read(tmp_path / "x.parquet", "graphs").schema.field("a/b/c").metadata
    assert read_back == {b"direction": b"min", b"unit": b"ms"}


def test_equal_tables_make_equal_files(make: Make, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(make("graphs"), tmp_path / name, "graphs", producer="snap-catalog")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_the_wanted_columns_are_read(scores: Path) -> None:
    assert read(scores, "scores", columns=["arch_id", "score"]).column_names == ["arch_id", "score"]


def test_a_wanted_column_that_is_not_there_is_named(make: Make, scores: Path) -> None:
    pq.write_table(pq.read_table(scores).drop_columns("score"), scores)
    assert _refusal(scores, columns=["score"]) == "column 'score' (double) is missing"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "none.parquet") == "no such file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a directory" in _refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"space,arch_id,score\n", b"PAR1" * 4])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.parquet").write_bytes(content)
    message = _refusal(tmp_path / "x.parquet")
    assert message.startswith("not a readable Parquet file (")
    assert message.endswith("; repair or replace it")


@pytest.mark.parametrize(
    "failure",
    [
        MemoryError(),
        pa.ArrowMemoryError("malloc of size 64 failed"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        pa.ArrowException("Unknown error: Failed to launch worker thread: try again"),
    ],
)
def test_too_little_memory_is_not_blamed_on_the_file(
    scores: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise failure

    monkeypatch.setattr(pq.ParquetFile, "read", fail)
    assert _refusal(scores) == "too little memory to read it; free some memory"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(scores: Path, kept: float) -> None:
    content = scores.read_bytes()
    scores.write_bytes(content[: int(len(content) * kept)])
    assert "not a readable Parquet file" in _refusal(scores)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read_but_never_breaks_the_reader(
    scores: Path, data: st.DataObject
) -> None:
    content = bytearray(scores.read_bytes())
    damaged = scores.with_name("damaged.parquet")
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged.write_bytes(content)
    with contextlib.suppress(SnapError):
        read(damaged, "scores")


def test_a_file_of_another_contract_is_refused(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "ops.parquet"
    write(make("operators"), path, "operators", producer="snap-catalog")
    assert _refusal(path) == "expected a file of kind 'scores', but this one is 'operators'"


def test_a_parquet_file_of_somebody_else_is_refused(scores: Path) -> None:
    _restamp(scores, schema=None)
    assert "but this one is none of the SNAP tools (no snap.schema)" in _refusal(scores)


@pytest.mark.parametrize("found", ["4", "0", "one", None])
def test_another_version_of_the_contract_is_refused(scores: Path, found: str | None) -> None:
    _restamp(scores, schema_version=found)
    message = _refusal(scores)
    assert message.startswith(
        f"version {found} of the 'scores' contract, but this tool reads version"
    )
    assert "create it again" in message


def test_metadata_that_the_contract_asks_for_and_is_not_there_is_named(scores: Path) -> None:
    _restamp(scores, scorer=None)
    assert _refusal(scores).startswith("metadata entry 'snap.scorer' is missing")


def test_the_contents_of_a_file_are_checked(make: Make, scores: Path) -> None:
    table = pq.read_table(scores)
    spoilt = make("scores", score=[float("nan"), 0.0]).replace_schema_metadata(
        table.schema.metadata
    )
    pq.write_table(spoilt, scores)
    assert "row 1 (a): the score is not a finite number" in _refusal(scores)


@pytest.mark.parametrize("changed", [{"score": None}, {"score": [float("nan"), 0.0]}])
def test_a_table_that_breaks_its_contract_is_not_written(
    make: Make, scores: Path, changed: dict[str, Any]
) -> None:
    before = scores.read_bytes()
    with pytest.raises(SnapError, match="score"):
        write(make("scores", **changed), scores, "scores", producer="snap-catalog")
    assert scores.read_bytes() == before
    assert _names(scores.parent) == [scores.name]


def test_a_table_without_the_metadata_its_contract_asks_for_is_not_written(
    make: Make, tmp_path: Path
) -> None:
    bare = make("scores").replace_schema_metadata({})
    with pytest.raises(SnapError, match=r"metadata entry 'snap\.scorer' is missing"):
        write(bare, tmp_path / "x.parquet", "scores", producer="snap-catalog")
    assert _names(tmp_path) == []


@pytest.mark.parametrize("failure", [ValueError, OSError, KeyboardInterrupt])
def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(
    make: Make, scores: Path, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    def fail(_table: pa.Table, path: Path, **_options: Any) -> None:
        path.write_bytes(b"half")
        raise failure

    before = scores.read_bytes()
    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises((failure, SnapError)):
        write(make("scores"), scores, "scores", producer="snap-catalog")
    assert scores.read_bytes() == before
    assert _names(scores.parent) == [scores.name]


def test_a_full_disk_is_reported_in_one_line(tmp_path: Path) -> None:
    message = r"cannot write here \(no space left on device\); choose another path"
    with pytest.raises(SnapError, match=message), replacing(tmp_path / "x.parquet"):
        raise OSError(28, "No space left on device")
    assert _names(tmp_path) == []


def test_the_temporary_file_lies_next_to_the_target_and_keeps_its_suffix(tmp_path: Path) -> None:
    with replacing(tmp_path / "best.svg") as temporary:
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".svg")
        assert not (tmp_path / "best.svg").exists()
        temporary.write_text("drawn")
    assert (tmp_path / "best.svg").read_text() == "drawn"


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    with replacing(tmp_path / "x.parquet"):
        pass
    written = (tmp_path / "x.parquet").stat().st_mode
    assert stat.S_IMODE(written) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("folder", ["missing", "unwritable"])
def test_a_folder_that_cannot_be_written_to_is_refused_before_and_while_writing(
    make: Make, tmp_path: Path, request: pytest.FixtureRequest, folder: str
) -> None:
    where = tmp_path / "none" if folder == "missing" else request.getfixturevalue("unwritable")
    path = where / "x.parquet"
    message = f"{path}: cannot write here .*; choose another path"
    with pytest.raises(SnapError, match=message):
        check_writable(path)
    with pytest.raises(SnapError, match=message):
        write(make("scores"), path, "scores", producer="snap-catalog")


def test_a_folder_is_made_if_it_is_missing_and_may_be(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert make_folder(str(folder)) == make_folder(folder) == folder
    assert folder.is_dir()
    with pytest.raises(SnapError, match="cannot write here"):
        make_folder(tmp_path / "none" / "out")


def test_a_check_for_writing_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "x.parquet")
    assert _names(tmp_path) == []
