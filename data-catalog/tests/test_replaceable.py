import os
from pathlib import Path

import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import check_writable, replacing, write

SCORES = pa.table(
    {
        "space": ["a"],
        "arch_id": ["x"],
        "score": [1.0],
        "spread": pa.nulls(1, pa.float64()),
        "novelty": pa.nulls(1, pa.float64()),
    }
)


def put(path: Path, score: float = 1.0) -> None:
    table = SCORES.set_column(2, "score", pa.array([score]))
    write(table, path, "scores", producer="snap-catalog", metadata={"snap.scorer": "s"})


def test_a_file_of_the_same_contract_is_replaced(tmp_path: Path) -> None:
    put(tmp_path / "s.parquet")
    before = (tmp_path / "s.parquet").read_bytes()
    check_writable(tmp_path / "s.parquet", "scores")
    put(tmp_path / "s.parquet", 2.0)
    assert (tmp_path / "s.parquet").read_bytes() != before


@pytest.mark.parametrize(
    "content", [b"precious", b"a,b\n1,2\n", b"PAR1 of others PAR1", b"\x00\xff"]
)
def test_a_file_of_somebody_else_is_refused_before_and_after_work(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "thesis.tex"
    path.write_bytes(content)
    with pytest.raises(SnapError, match=r"thesis\.tex: exists and is of another kind"):
        check_writable(path, "scores")
    with pytest.raises(SnapError, match=r"thesis\.tex: exists and is of another kind"):
        put(path)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_of_another_contract_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "s.parquet")
    with pytest.raises(SnapError, match="of another kind"):
        check_writable(tmp_path / "s.parquet", "graphs")


@pytest.mark.parametrize(
    ("name", "old", "new", "alike"),
    [
        ("best.json", '{"user": 1}', '{"space": "nb201", "arch_id": "x"}', False),
        ("best.json", '{"space": "darts"}', '{"space": "nb201", "arch_id": "x"}', True),
        ("runs.csv", "name,age\nx,1\n", "seed,best\n1,2\n", False),
        ("runs.csv", "seed,best\n0,1\n", "seed,best\n1,2\n", True),
        ("cell.svg", "<?xml version='1.0'?><svg/>", "<svg></svg>", True),
        ("page.html", "my notes", "<!doctype html><p>", False),
        ("pin", "0a", "1b", True),
    ],
)
def test_other_files_are_replaced_by_their_like(
    tmp_path: Path, name: str, old: str, new: str, alike: bool
) -> None:
    path = tmp_path / name
    path.write_text(old)
    try:
        with replacing(path) as temporary:
            temporary.write_text(new)
    except SnapError:
        assert not alike
        assert path.read_text() == old
    else:
        assert alike
        assert path.read_text() == new


def test_an_empty_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "s.parquet").touch()
    put(tmp_path / "s.parquet")
    assert (tmp_path / "s.parquet").stat().st_size


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(SnapError, match="cannot be replaced; choose another file name"):
            put(tmp_path / name)
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_a_link_to_what_is_replaced(tmp_path: Path) -> None:
    put(tmp_path / "s.parquet")
    before = (tmp_path / "s.parquet").read_bytes()
    (tmp_path / "link.parquet").symlink_to("s.parquet")
    put(tmp_path / "link.parquet", 2.0)
    assert (tmp_path / "link.parquet").is_symlink()
    assert (tmp_path / "s.parquet").read_bytes() != before
