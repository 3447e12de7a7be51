from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import read, write
from snap_catalog.schemas import Name
from snap_catalog.streams import Stream, writing

Make = Callable[..., pa.Table]


def _long(make: Make, name: Name, rows: int) -> pa.Table:
    table = make(name).slice(0, 1)
    names = pa.array([f"cell {i}" for i in range(rows)])
    place = table.column_names.index("arch_id")
    return pa.concat_tables([table] * rows).set_column(place, "arch_id", names)


def _file(table: pa.Table, folder: Path, name: Name = "scores") -> Path:
    """Write a file without its contract's checks of the rows."""
    write(table.slice(0, 1), folder / "x.parquet", name, producer="snap-catalog")
    stamped = table.replace_schema_metadata(pq.read_schema(folder / "x.parquet").metadata)
    pq.write_table(stamped, folder / "x.parquet")
    return folder / "x.parquet"


def _check_all(stream: Stream) -> None:
    for part in stream.parts(4):
        stream.check(part)


def _write(path: Path, *parts: pa.Table) -> None:
    with writing(path, "scores", parts[0].schema, producer="snap-catalog") as append:
        for part in parts:
            append(part)


@pytest.mark.parametrize("rows", [1, 3, 10, 100])
def test_the_parts_are_the_file(make: Make, tmp_path: Path, rows: int) -> None:
    path = _file(_long(make, "scores", 10), tmp_path)
    stream = Stream(path, "scores")
    parts = list(stream.parts(rows))
    _check_all(stream)
    assert stream.num_rows == 10
    assert [part.first for part in parts] == list(range(0, 10, rows))
    assert pa.concat_tables([part.table for part in parts]).equals(read(path, "scores"))
    assert parts[0].table.schema.equals(stream.schema, check_metadata=True)


def test_only_the_wanted_columns_are_read(make: Make, tmp_path: Path) -> None:
    path = _file(_long(make, "scores", 2), tmp_path)
    (part,) = Stream(path, "scores", ["score", "space"]).parts(5)
    assert part.table.column_names == ["score", "space"]


def test_the_row_at_fault_is_counted_in_the_file(make: Make, tmp_path: Path) -> None:
    table = _long(make, "scores", 10)
    scores = pa.array([0.0] * 6 + [float("nan")] + [0.0] * 3)
    table = table.set_column(table.column_names.index("score"), "score", scores)
    stream = Stream(_file(table, tmp_path), "scores")
    with pytest.raises(SnapError, match=r"x\.parquet: row 7 \(cell 6\): the score is not a finite"):
        _check_all(stream)


def test_a_key_that_two_parts_share_is_refused(make: Make, tmp_path: Path) -> None:
    table = _long(make, "scores", 10)
    table = pa.concat_tables([table, table.slice(2, 1)])
    stream = Stream(_file(table, tmp_path), "scores")
    with pytest.raises(SnapError, match="2 rows share space 'toy', arch_id 'cell 2'"):
        _check_all(stream)


def test_a_missing_column_is_named_before_anything_is_read(make: Make, tmp_path: Path) -> None:
    path = _file(_long(make, "scores", 2), tmp_path)
    pq.write_table(pq.read_table(path).drop_columns(["score"]), path)
    with pytest.raises(SnapError, match=r"x\.parquet: column 'score' \(double\) is missing"):
        Stream(path, "scores", ["space", "score"])


def test_a_file_of_another_contract_is_refused(make: Make, tmp_path: Path) -> None:
    path = _file(_long(make, "scores", 2), tmp_path)
    with pytest.raises(SnapError, match="expected a file of kind 'graphs'"):
        Stream(path, "graphs")


def test_a_missing_and_a_damaged_file_are_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(SnapError, match="no such file"):
        Stream(tmp_path / "none.parquet", "scores")
    path = _file(_long(make, "scores", 50), tmp_path)
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    with pytest.raises(SnapError, match="not a readable Parquet file"):
        list(Stream(path, "scores").parts(5))


def test_a_file_written_in_parts_is_the_one_written_at_once(make: Make, tmp_path: Path) -> None:
    table = _long(make, "scores", 10)
    write(table, tmp_path / "whole.parquet", "scores", producer="snap-catalog")
    _write(tmp_path / "parts.parquet", *(table.slice(first, 3) for first in range(0, 10, 3)))
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_a_part_that_breaks_the_contract_leaves_the_old_file(make: Make, tmp_path: Path) -> None:
    table = _long(make, "scores", 2)
    bad = table.set_column(2, "score", pa.array([0.0, float("inf")]))
    (tmp_path / "x.parquet").write_text("old")
    with pytest.raises(SnapError, match="not a finite number"):
        _write(tmp_path / "x.parquet", table, bad)
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]
    assert (tmp_path / "x.parquet").read_text() == "old"
