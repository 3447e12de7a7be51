import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_eval import query

Make = Callable[..., pa.Table]
ACCURACY = "cifar10/test/accuracy@200"
secret = pa.table({"a": [1]})


@pytest.fixture
def folder(tmp_path: Path, make_graphs: Make, make_scores: Make) -> Path:
    """Two scores files and two graphs files, whose metrics differ, and one of other programs."""
    import pyarrow.parquet as pq

    for name, metric in {"one": ACCURACY, "two": "hw/toaster/joules"}.items():
        graphs = make_graphs([f"{name}{i}" for i in range(3)], {metric: [1.0, 2.0, 3.0]})
        write(graphs, tmp_path / f"{name}-graphs.parquet", "graphs", producer="snap-eval")
        scores = make_scores([f"{name}{i}" for i in range(3)], [3, 2, 1])
        write(scores, tmp_path / f"{name}.parquet", "scores", producer="snap-eval")
    pq.write_table(secret, tmp_path / "foreign.parquet")
    (tmp_path / "outside.csv").write_text("a\n1\n")
    return tmp_path


def test_views_hold_the_rows_of_all_files_of_a_kind(folder: Path) -> None:
    table = query(folder, "SELECT file, count(*) AS n FROM scores GROUP BY file ORDER BY file")
    assert table.to_pylist() == [{"file": "one.parquet", "n": 3}, {"file": "two.parquet", "n": 3}]
    metrics = query(folder, f'SELECT count("{ACCURACY}") AS n, count(*) AS m FROM graphs')
    assert metrics.to_pylist() == [{"n": 3, "m": 6}]


def test_views_may_be_joined(folder: Path) -> None:
    sql = (
        f'SELECT arch_id, score, "{ACCURACY}" AS measured FROM scores JOIN graphs '
        "USING (space, arch_id) WHERE score > 2 ORDER BY arch_id"
    )
    rows = query(folder, sql).to_pylist()
    assert rows[0] == {"arch_id": "one0", "score": 3, "measured": 1}


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x AS SELECT 1",
        "INSERT INTO scores SELECT * FROM scores",
        "UPDATE scores SET score = 0",
        "DELETE FROM scores",
        "DROP VIEW scores",
        "COPY scores TO '{folder}/stolen.csv'",
        "COPY (SELECT 1) TO '{folder}/stolen.csv'",
        "EXPORT DATABASE '{folder}/stolen'",
        "ATTACH '{folder}/stolen.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "PRAGMA memory_limit='1TB'",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "CALL pragma_version()",
        "EXPLAIN ANALYZE SELECT 1",
        "CHECKPOINT",
        "BEGIN",
        "VACUUM",
        "PREPARE x AS SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW scores",
        "",
        "SELECT",
        "nonsense",
    ],
)
def test_anything_but_one_select_is_refused_in_one_line(folder: Path, sql: str) -> None:
    before = sorted(folder.iterdir())
    with pytest.raises(SnapError) as failure:
        query(folder, sql.format(folder=folder))
    assert len(str(failure.value).splitlines()) == 1
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{folder}/outside.csv')",
        "SELECT * FROM '{folder}/outside.csv'",
        "SELECT * FROM read_parquet('{folder}/one.parquet')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_blob('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM 'http://example.org/a.parquet'",
        "SELECT * FROM sniff_csv('{folder}/outside.csv')",
        "SELECT * FROM parquet_metadata('{folder}/one.parquet')",
        "SELECT * FROM query('COPY scores TO ''{folder}/stolen.csv''')",
        "WITH x AS (SELECT * FROM read_csv('{folder}/outside.csv')) SELECT * FROM x",
        "SELECT * FROM secret",
        "SELECT * FROM nowhere",
        "SELECT nothing FROM scores",
    ],
)
def test_a_select_cannot_read_outside(folder: Path, sql: str) -> None:
    before = sorted(folder.iterdir())
    with pytest.raises(SnapError, match=r"\(views: graphs, scores\)") as failure:
        query(folder, sql.format(folder=folder))
    assert len(str(failure.value).splitlines()) == 1
    assert sorted(folder.iterdir()) == before


def test_settings_stay_as_they_are(folder: Path) -> None:
    names = ("enable_external_access", "lock_configuration")
    told = ", ".join(f"current_setting('{name}') AS {name}" for name in names)
    assert query(folder, f"SELECT {told}").to_pylist() == [
        {"enable_external_access": False, "lock_configuration": True}
    ]


def test_columns_of_one_name_are_columns_of_their_own(folder: Path) -> None:
    table = query(folder, "SELECT 1 AS v, 2 AS v, 3 AS w")
    assert table.column_names == ["v", "v", "w"]
    assert [column.to_pylist() for column in table.columns] == [[1], [2], [3]]


def test_a_column_file_of_the_files_does_not_hide_their_names(
    folder: Path, make_search: Make
) -> None:
    history = make_search(["a"], {"file": [7.0]})
    write(history, folder / "search.parquet", "search", producer="snap-eval")
    rows = query(folder, "SELECT file, file_1 FROM search").to_pylist()
    assert rows == [{"file": "search.parquet", "file_1": 7.0}]


def test_dates_out_of_pythons_range_are_text(folder: Path) -> None:
    sql = "SELECT DATE '99999-01-01' AS d, [TIMESTAMP '-infinity'] AS t, INTERVAL '3 days' AS i"
    (row,) = query(folder, sql).to_pylist()
    assert row == {"d": "99999-01-01", "t": ["-infinity"], "i": "3 days"}


def test_times_with_zones_are_in_utc_wherever_the_machine_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        sql = "SELECT TIMESTAMPTZ '2020-01-01 00:00:00+02' AS t"
        assert query(folder, sql).to_pylist() == [{"t": "2019-12-31 22:00:00+00"}]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_integers_stay_exact_to_128_bits(folder: Path) -> None:
    (row,) = query(folder, f"SELECT {2**127 - 1} AS h, {2**128 - 1}::UHUGEINT AS u").to_pylist()
    assert row == {"h": Decimal(2**127 - 1), "u": str(2**128 - 1)}


def test_every_type_of_duckdb_is_answered(folder: Path) -> None:
    table = query(folder, "SELECT * FROM test_all_types()")
    plain = (bool, int, float, str, Decimal, list, dict, type(None))
    assert len(table) == 3
    for column in table.columns:
        assert all(isinstance(value, plain) for value in column.to_pylist())


@pytest.mark.parametrize("end", [";", " -- note", "; -- note\n", " /* note */ ;"])
def test_a_statement_may_end_as_duckdb_lets_it(folder: Path, end: str) -> None:
    assert query(folder, f"SELECT 1 AS v{end}").to_pylist() == [{"v": 1}]


def test_temporary_files_are_no_results(folder: Path) -> None:
    (folder / ".scores-abcd1234.parquet").write_bytes(b"PAR1")
    assert query(folder, "SELECT count(*) AS n FROM scores").to_pylist() == [{"n": 6}]


_ENDLESS = """
from snap_eval import sql

run = sql.interruptible

def announced(database, answer):
    print("begun", flush=True)
    return run(database, answer)

sql.interruptible = announced
"""


def test_ctrl_c_stops_a_query(
    folder: Path, interrupted: Callable[..., tuple[int, str, str]]
) -> None:
    statement = "SELECT sum(a.i * b.i) FROM range(9999999) a(i), range(9999999) b(i)"
    assert interrupted(_ENDLESS, "query", statement) == (130, "", "")


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match="no Parquet file of the SNAP tools is in it"):
        query(tmp_path, "SELECT 1")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match="nowhere: no such folder"):
        query(tmp_path / "nowhere", "SELECT 1")


def test_a_damaged_file_is_refused_by_name(folder: Path) -> None:
    (folder / "one.parquet").write_bytes(b"PAR1")
    with pytest.raises(SnapError, match=r"one\.parquet: not a readable Parquet file"):
        query(folder, "SELECT 1")
