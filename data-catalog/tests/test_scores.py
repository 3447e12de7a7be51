"""Scores of several scorers in one file, and of earlier versions, which knew of one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, read, write
from snap_catalog.scores import by_scorer, named, several
from snap_catalog.streams import Stream, writing

Make = Callable[..., pa.Table]
_WANTED = ["space", "arch_id", "scorer", "score"]


@pytest.fixture
def two(make: Make) -> pa.Table:
    """Scores of two cells, each by two scorers."""
    return _table(make, ["a", "b", "a", "b"], ["zen", "nwot", "nwot", "zen"], "zen, nwot")


def _table(
    make: Make, cells: Sequence[str], scorers: Sequence[str | None], name: str = "gcn"
) -> pa.Table:
    n = len(cells)
    columns: dict[str, Any] = {
        "space": ["toy"] * n,
        "arch_id": cells,
        "scorer": scorers,
        "score": [float(row) for row in range(n)],
        **dict.fromkeys(("spread", "novelty", "seconds"), [None] * n),
    }
    table: pa.Table = make("scores", **columns, predicted=None, predicted_std=None)
    return table.replace_schema_metadata({"snap.scorer": name, "snap.seed": "3"})


def _scores(table: pa.Table) -> dict[str, dict[str, float]]:
    return {
        scorer: dict(zip(rows["arch_id"].to_pylist(), rows["score"].to_pylist(), strict=True))
        for scorer, rows in by_scorer(table).items()
    }


def test_a_file_of_two_scorers_is_read_and_split(two: pa.Table, tmp_path: Path) -> None:
    write(two, tmp_path / "s.parquet", "scores", producer="snap-catalog")
    for wanted in (None, _WANTED):
        table = read(tmp_path / "s.parquet", "scores", wanted)
        assert _scores(table) == {"zen": {"a": 0, "b": 3}, "nwot": {"b": 1, "a": 2}}
    for scorer, rows in by_scorer(table).items():
        entries = decode_metadata(rows.schema)
        assert (entries["snap.scorer"], entries["snap.seed"]) == (scorer, "3")
        assert "scorer" not in rows.column_names


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_a_file_of_two_scorers_makes_the_round_trip_through_streams(
    two: pa.Table, tmp_path: Path, rows: int
) -> None:
    with writing(tmp_path / "s.parquet", "scores", two.schema, producer="snap-catalog") as append:
        append(two.slice(0, 3))
        append(two.slice(3))
    stream = Stream(tmp_path / "s.parquet", "scores")
    parts = list(stream.parts(rows))
    for part in parts:
        stream.check(part)
    whole = pa.concat_tables([part.table for part in parts])
    assert whole.equals(read(tmp_path / "s.parquet", "scores"))
    assert whole.equals(two)


def test_readers_that_do_not_ask_for_the_scorer_are_refused_such_a_file(
    two: pa.Table, tmp_path: Path
) -> None:
    path, wanted = tmp_path / "s.parquet", ["space", "arch_id", "score"]
    write(two, path, "scores", producer="snap-catalog")
    with pytest.raises(SnapError, match="2 rows share space 'toy', arch_id 'a'; it must"):
        read(path, "scores", wanted)
    with pytest.raises(SnapError, match="2 rows share space 'toy', arch_id 'a'; it must"):
        list(Stream(path, "scores", wanted).parts(1))


@pytest.mark.parametrize("scorer", ["zen", None])
def test_a_scorer_has_one_score_of_a_cell_in_a_file(
    make: Make, tmp_path: Path, scorer: str | None
) -> None:
    table, path = _table(make, ["a", "a", "a"], ["nwot", scorer, scorer]), tmp_path / "s.parquet"
    refusal = rf"s\.parquet: 2 rows share .* arch_id 'a', scorer {scorer!r}; it must be unique"
    with pytest.raises(SnapError, match=refusal):
        write(table, path, "scores", producer="snap-catalog")
    write(table.slice(0, 2), path, "scores", producer="snap-catalog")
    pq.write_table(table.replace_schema_metadata(pq.read_schema(path).metadata), path)
    with pytest.raises(SnapError, match=refusal):
        read(path, "scores")
    with pytest.raises(SnapError, match=refusal):
        list(Stream(path, "scores").parts(1))


def test_rows_that_name_no_scorer_are_of_the_one_in_the_metadata(make: Make) -> None:
    table = _table(make, ["a", "a", "b"], [None, "zen", "gcn"])
    assert _scores(table) == {"gcn": {"a": 0, "b": 2}, "zen": {"a": 1}}
    assert named(table)["scorer"].to_pylist() == ["gcn", "zen", "gcn"]
    with pytest.raises(SnapError, match=r"^s: 2 rows share .*'a', scorer 'gcn'"):
        by_scorer(_table(make, ["a", "a"], [None, "gcn"]), "s")


def test_rows_that_name_no_scorer_where_the_metadata_names_several_are_refused(make: Make) -> None:
    table = _table(make, ["a", "b"], ["zen", None], "zen, nwot")
    with pytest.raises(SnapError, match="s: row 2: column 'scorer' is empty; name one of zen, nw"):
        by_scorer(table, "s")


@pytest.mark.parametrize("version", ["1", "2"])
def test_files_of_earlier_versions_are_of_the_scorer_in_the_metadata(
    make: Make, tmp_path: Path, version: str
) -> None:
    path = tmp_path / "old.parquet"
    later = ["predicted", "predicted_std"] if version == "1" else []
    entries = {
        "snap.schema": "scores",
        "snap.schema_version": version,
        "snap.producer": "snap 0",
        "snap.scorer": "zen, nwot",
    }
    table = make("scores").drop_columns(["scorer", "seconds", *later])
    pq.write_table(table.replace_schema_metadata(entries), path)
    found = read(path, "scores", [*_WANTED, "seconds"])
    assert found.column_names == ["space", "arch_id", "score"]
    assert [*by_scorer(found)] == ["zen, nwot"]
    (part,) = Stream(path, "scores").parts(5)
    assert part.table.equals(read(path, "scores"))


@pytest.mark.parametrize("column", ["there", "absent"])
def test_scores_of_no_cells_are_of_the_scorer_in_the_metadata(make: Make, column: str) -> None:
    table = _table(make, [], [])
    table = table if column == "there" else table.drop_columns("scorer")
    ((name, rows),) = by_scorer(table).items()
    assert (name, rows.num_rows) == ("gcn", 0)


def test_scores_whose_metadata_name_no_scorer_are_refused(two: pa.Table) -> None:
    with pytest.raises(SnapError, match=r"^s: metadata entry 'snap\.scorer' is missing"):
        by_scorer(two.replace_schema_metadata({}), "s")


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ({"scorer": ["a", "b", "a"]}, "a, b"),
        ({"scorer": ["a", None]}, "a, None"),
        ({"scorer": ["a", "a"]}, ""),
        ({"scorer": [["a"], ["b"]]}, "['a'], ['b']"),
        ({"other": ["a", "b"]}, ""),
    ],
)
def test_any_table_shows_whether_it_is_of_several_scorers(table: Any, names: str) -> None:
    assert several(pa.table(table)) == names
