"""Folders of results in which other tools write."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snap_catalog import SnapError, parquet
from snap_catalog.parquet import write
from snap_eval.folder import read_folder

Make = Callable[..., pa.Table]
READS = int(os.environ.get("SNAP_READS", "50"))
"""How often a folder is read while it is written to."""


def _names(folder: Path, *, nested: bool = True) -> list[str]:
    return [str(c.path.relative_to(folder)) for c in read_folder(folder, nested=nested)]


@contextmanager
def _writer(step: Callable[[int], None]) -> Iterator[list[int]]:
    """Repeat a step in a thread; the list that is given holds the numbers of those done."""
    stop = threading.Event()
    done: list[int] = []

    def work() -> None:
        while not stop.is_set():
            step(len(done))
            done.append(len(done))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()


def test_names_that_begin_with_a_dot_are_left_out(tmp_path: Path, make_scores: Make) -> None:
    for name in ("a.parquet", ".a.parquet", "in/b.parquet", ".in/c.parquet", "in/.d/e.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(make_scores(["x"], [1]), tmp_path / name, "scores", producer="snap-eval")
    assert _names(tmp_path) == ["a.parquet", "in/b.parquet"]
    assert _names(tmp_path, nested=False) == ["a.parquet"]


def test_files_of_other_programs_have_no_kind(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "foreign.parquet")
    (content,) = read_folder(tmp_path, nested=False)
    assert content.kind is None


def test_a_folder_that_is_written_to_can_be_read(
    tmp_path: Path, make_scores: Make, make_graphs: Make
) -> None:
    write(make_scores(["x"], [1]), tmp_path / "stays.parquet", "scores", producer="snap-eval")

    def step(number: int) -> None:
        name, other = tmp_path / f"{number % 3}.parquet", tmp_path / f"{(number + 1) % 3}.parquet"
        if number % 2:
            write(make_graphs(["x"], {}), name, "graphs", producer="snap-eval")
        else:
            write(make_scores(["x", "y"], [1, 2]), name, "scores", producer="snap-eval")
        other.unlink(missing_ok=True)

    with _writer(step) as steps:
        for _ in range(READS):
            assert "stays.parquet" in _names(tmp_path)
        while not steps:
            pass
    assert steps


def test_a_file_that_is_written_in_place_is_read_once_it_is_whole(
    tmp_path: Path, make_scores: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.parquet"
    write(make_scores(["x"], [1]), path, "scores", producer="snap-eval")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    real = parquet.claim
    calls = []

    def claim(where: Path) -> object:
        calls.append(where)
        try:
            return real(where)
        finally:
            path.write_bytes(whole)

    monkeypatch.setattr(parquet, "claim", claim)
    assert _names(tmp_path) == ["s.parquet"]
    assert len(calls) == 2


def test_a_damaged_file_that_nobody_changes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(SnapError, match=r"bad\.parquet: not a readable Parquet file"):
        _names(tmp_path)


def test_a_folder_that_cannot_be_listed_is_refused(unwritable: Path) -> None:
    with pytest.raises(SnapError, match="no such folder"):
        _names(unwritable / "nothing")
