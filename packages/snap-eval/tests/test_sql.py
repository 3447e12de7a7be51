from collections.abc import Callable
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


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match="no Parquet file of the SNAP tools is in it"):
        query(tmp_path, "SELECT 1")


def test_a_damaged_file_is_refused_by_name(folder: Path) -> None:
    (folder / "one.parquet").write_bytes(b"PAR1")
    with pytest.raises(SnapError, match=r"one\.parquet: not a readable Parquet file"):
        query(folder, "SELECT 1")
