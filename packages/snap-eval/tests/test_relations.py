"""Filters, groups, DuckDB files and scans."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import Result
from scipy import stats
from snap_catalog.parquet import read, write
from snap_eval import as_measured, as_scorer, correlate, targets
from snap_eval.relations import Cells

Run = Callable[..., Result]
Interrupted = Callable[..., tuple[int, str, str]]
Make = Callable[..., pa.Table]
Files = tuple[Path, Path]
ACCURACY = "cifar10/test/accuracy@200"
N = 300
NAMES = [f"{i:03}" for i in range(N)]


@pytest.fixture
def graphs(make_graphs: Make) -> pa.Table:
    """Cells whose depth is 0, 1 or 2 in turn, with classes of two cells."""
    y = np.random.default_rng(0).normal(size=N)
    table = make_graphs(NAMES, {ACCURACY: y}, hashes=[i // 2 for i in range(N)])
    place = table.column_names.index("depth")
    return table.set_column(place, "depth", pa.array([i % 3 for i in range(N)], pa.int16()))


@pytest.fixture
def scores(make_scores: Make, graphs: pa.Table) -> pa.Table:
    noise = np.random.default_rng(1).normal(size=N)
    values = graphs[ACCURACY].to_numpy() + noise
    values[5] = -1e8
    return make_scores(NAMES[:-2], values[:-2])


def _rho(graphs: pa.Table, scores: pa.Table, chosen: np.ndarray) -> float:
    usable = chosen[: len(scores)] & (scores["score"].to_numpy() != -1e8)
    x, y = scores["score"].to_numpy()[usable], graphs[ACCURACY].to_numpy()[: len(scores)][usable]
    rho: float = stats.spearmanr(x, y).statistic
    return rho


def test_where_keeps_the_cells_that_meet_it(graphs: pa.Table, scores: pa.Table) -> None:
    table = correlate(
        [as_scorer(scores)],
        targets([as_measured(graphs)]),
        statistics=["spearman"],
        populations=["all"],
        where="depth > 0 AND depth < 2",
    )
    (row,) = table.to_pylist()
    assert row["value"] == pytest.approx(_rho(graphs, scores, graphs["depth"].to_numpy() == 1))
    assert (row["n"], row["missing"], row["failed"]) == (99, 1, 0)
    assert table.schema.metadata[b"snap.where"] == b"depth > 0 AND depth < 2"


def test_by_gives_a_row_per_value(graphs: pa.Table, scores: pa.Table) -> None:
    table = correlate(
        [as_scorer(scores)],
        targets([as_measured(graphs)]),
        statistics=["spearman"],
        populations=["all"],
        by="depth",
    )
    found = {row["group"]: row for row in table.to_pylist()}
    assert list(found) == ["0", "1", "2"]
    for value, row in found.items():
        chosen = graphs["depth"].to_numpy() == int(value)
        assert row["value"] == pytest.approx(_rho(graphs, scores, chosen))


def test_cells_without_a_value_of_by_are_a_group_of_their_own(
    graphs: pa.Table, scores: pa.Table
) -> None:
    table = correlate(
        [as_scorer(scores)], targets([as_measured(graphs)]), by="nullif(depth, 1)", bootstrap=0
    )
    assert [*dict.fromkeys(table["group"].to_pylist())] == [None, "0", "2"]


def test_without_by_there_is_no_column_group(graphs: pa.Table, scores: pa.Table) -> None:
    table = correlate([as_scorer(scores)], targets([as_measured(graphs)]), bootstrap=0)
    assert "group" not in table.column_names


def test_a_class_is_represented_within_each_group(graphs: pa.Table) -> None:
    cells = Cells(graphs, by="depth").populations(np.ones(N, bool))
    assert sum(map(len, cells["unique"].values())) == N
    assert len(Cells(graphs).populations(np.ones(N, bool))["unique"][None]) == N // 2


_ELSEWHERE = "depth > (SELECT count(*) FROM {})"
_COPY = "COPY (SELECT 1) TO 'stolen.csv'"
_QUERIED = _COPY.replace("'", "''")
WRONG = {
    "depth >": "syntax error",
    "size > 1": 'column "size" not found',
    "depth > 9": "no cell meets it",
    "1) OR (1": "syntax error",
    "true; DROP TABLE graphs": "Parser Error",
    f"1=1); {_COPY}; --": "Parser Error",
    f"true; {_COPY}": "Parser Error",
    _ELSEWHERE.format(f"query('{_QUERIED}')"): "Parser Error",
    _ELSEWHERE.format("NAMES"): "name NAMES does not exist",
} | {
    _ELSEWHERE.format(relation): "disabled by configuration"
    for relation in (
        "read_csv('/etc/passwd')",
        "read_text('outside.csv')",
        "'outside.csv'",
        "'outside.parquet'",
        "parquet_metadata('outside.parquet')",
        "glob('*')",
        "'http://example.org/a.parquet'",
    )
}


@pytest.mark.parametrize("large", [10**6, 10], ids=["in memory", "scanned"])
@pytest.mark.parametrize(("where", "problem"), WRONG.items())
def test_a_condition_that_is_wrong_or_reaches_out_is_refused_in_one_line(
    run: Run,
    written: Files,
    tmp_path: Path,
    where: str,
    problem: str,
    large: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("snap_eval.large.LARGE", large)
    (tmp_path / "outside.csv").write_text("a\n1\n")
    shutil.copyfile(written[1], tmp_path / "outside.parquet")
    before = sorted(tmp_path.iterdir())
    inputs = ("--scores", written[0], "--graphs", written[1], "--statistic", "spearman", "--quiet")
    result = run("correlate", *inputs, "--where", where)
    assert (result.exit_code, len(result.stderr.splitlines()), result.stdout) == (1, 1, "")
    assert problem in result.stderr
    assert sorted(tmp_path.iterdir()) == before


_ENDLESS = """
from snap_eval import large, relations, scanned

large.LARGE, run = {large}, relations.fetched

def announced(database, statement):
    if "range(" in statement:
        print("begun", flush=True)
    return run(database, statement)

relations.fetched = scanned.fetched = announced
"""


@pytest.mark.parametrize("large", [10**6, 10], ids=["in memory", "scanned"])
def test_ctrl_c_stops_a_condition_that_never_ends(
    interrupted: Interrupted, written: Files, tmp_path: Path, large: int
) -> None:
    where = "depth < (SELECT sum(a.i * b.i) FROM range(9999999) a(i), range(9999999) b(i))"
    inputs = ("--scores", written[0], "--graphs", written[1], "--statistic", "spearman")
    setup = _ENDLESS.format(large=large)
    assert interrupted(setup, "correlate", *inputs, "--where", where) == (130, "", "")
    assert {*tmp_path.iterdir()} == {*written}


@pytest.fixture
def written(graphs: pa.Table, scores: pa.Table, tmp_path: Path) -> Files:
    files = tmp_path / "s.parquet", tmp_path / "g.parquet"
    stated = graphs.replace_schema_metadata({"snap.benchmark": "nb201"})
    write(scores, files[0], "scores", producer="snap-eval")
    write(stated, files[1], "graphs", producer="snap-eval")
    return files


def test_groups_are_printed_and_written(run: Run, written: Files, tmp_path: Path) -> None:
    inputs = ("--scores", written[0], "--graphs", written[1], "--by", "depth")
    alone = run("correlate", *inputs, "--statistic", "spearman")
    assert alone.exit_code == 0, alone.stderr
    assert " group " in alone.stdout
    beside = run("correlate", *inputs, "--scores", ":depth")
    assert "population: all, group: 2" in beside.stdout
    table = read(tmp_path / "correlations.parquet", "correlations")
    assert set(table["group"].to_pylist()) == {"0", "1", "2"}


def test_several_files_are_one_benchmark(
    run: Run, graphs: pa.Table, written: Files, tmp_path: Path
) -> None:
    for number, part in enumerate((graphs.slice(0, 100), graphs.slice(100))):
        write(part, tmp_path / f"part-{number}.parquet", "graphs", producer="snap-eval")
    whole, parts = (
        json.loads(run("correlate", "--scores", written[0], "--graphs", g, "--json").stdout)
        for g in (written[1], f"{tmp_path}/part-*.parquet")
    )
    assert whole == parts


def test_all_intervals_may_be_bootstrapped(run: Run, written: Files) -> None:
    inputs = ("--scores", written[0], "--graphs", written[1], "--json", "--bootstrap", 50)
    for way, made in (("closed", "closed form"), ("bootstrap", "linear bootstrap")):
        rows = json.loads(run("correlate", *inputs, "--intervals", way).stdout)["correlations"]
        found = {row["statistic"]: row["interval"] for row in rows}
        assert found["spearman"] == f"{made} over cells"
        assert found["best@10"] == "bootstrap over cells"


def test_a_database_keeps_the_results_of_several_runs(
    run: Run, written: Files, tmp_path: Path
) -> None:
    inputs = ("--scores", written[0], "--graphs", written[1], "--db", "r.duckdb")
    for more in ((), ("--where", "depth = 1"), ("--by", "depth"), ()):
        result = run("correlate", *inputs, "--statistic", "spearman", *more)
        assert result.exit_code == 0, result.stderr
    with duckdb.connect(str(tmp_path / "r.duckdb"), read_only=True) as database:
        sizes = {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            for name in ("cells", "measurements", "scores", "correlations", "joined", "ranked")
        }
    assert sizes == {
        "cells": N,
        "measurements": N,
        "scores": N - 2,
        "correlations": 5,
        "joined": N - 3,
        "ranked": N - 3,
    }


def test_ranks_of_a_database_correlate_to_spearmans_rho(run: Run, written: Files) -> None:
    inputs = ("--scores", written[0], "--graphs", written[1], "--scores", ":depth")
    run("correlate", *inputs, "--statistic", "spearman", "--db", "r.duckdb")
    sql = (
        "SELECT value, rho FROM correlations JOIN (SELECT scorer, corr(score_rank, measured_rank) "
        "AS rho FROM ranked GROUP BY scorer) USING (scorer)"
    )
    rows = json.loads(run("query", "--db", "r.duckdb", sql, "--json").stdout)
    assert len(rows) == 2
    for row in rows:
        assert row["value"] == pytest.approx(row["rho"])


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM read_csv('/etc/passwd')", "DROP TABLE scores", "SELECT * FROM nowhere"],
)
def test_a_query_of_a_database_reads_it_alone(run: Run, written: Files, sql: str) -> None:
    run("correlate", "--scores", written[0], "--graphs", written[1], "--db", "r.duckdb")
    refused = run("query", "--db", "r.duckdb", sql)
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1)
    assert run("query", "--db", "gone.duckdb", "SELECT 1").exit_code == 1


@pytest.mark.parametrize("content", [b"arch,score\n", b"PAR1"])
def test_a_file_of_another_kind_is_no_database(
    run: Run, written: Files, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "r.duckdb").write_bytes(content)
    inputs = ("--scores", written[0], "--graphs", written[1], "--db", "r.duckdb")
    result = run("correlate", *inputs)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert (tmp_path / "r.duckdb").read_bytes() == content


def test_a_database_of_another_program_is_not_touched(
    run: Run, written: Files, tmp_path: Path
) -> None:
    with duckdb.connect(str(tmp_path / "r.duckdb")) as database:
        database.execute("CREATE TABLE mine AS SELECT 1 AS a")
    inputs = ("--scores", written[0], "--graphs", written[1], "--db", "r.duckdb")
    assert "is no database of snap-eval" in run("correlate", *inputs).stderr


SCANNED = ("--statistic", "spearman", "--statistic", "pearson")


@pytest.mark.parametrize("more", [(), ("--where", "depth > 0"), ("--by", "depth"), ("--flip",)])
def test_a_scan_gives_the_figures_of_the_same_cells_in_memory(
    run: Run, written: Files, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = ("--scores", written[0], "--scores", ":depth", "--graphs", written[1], *SCANNED, *more)
    populations = ("--population", "all", "--population", "unique_reachable", "--json")
    rows = []
    for large in (10**6, 10):
        monkeypatch.setattr("snap_eval.large.LARGE", large)
        result = run("correlate", *inputs, *populations)
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)["correlations"]
        rows.append({json.dumps([row[k] for k in KEY if k in row]): row for row in found})
    assert rows[0].keys() == rows[1].keys()
    for key, row in rows[0].items():
        other = rows[1][key]
        assert other["value"] == pytest.approx(row["value"])
        for column in ("n", "missing", "failed", "ties", "seeds", "role"):
            assert other[column] == row[column]


KEY = ("benchmark", "metric", "scorer", "sign", "statistic", "population", "group")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (("--statistic", "kendall_tau_b"), "only pearson and spearman can be computed"),
        ((), "not kendall_tau_b, spearman@top10%, best@10, regret@10"),
        ((*SCANNED, "--scores", "s*.parquet"), "rows share space and arch_id"),
        ((*SCANNED, "--db", "kept.duckdb"), "has more rows than --db can keep"),
        ((*SCANNED, "--intervals", "bootstrap"), "has too many rows to resample"),
        ((*SCANNED, "--scores", ":count:nor*"), "in which operators are not counted"),
    ],
)
def test_a_scan_that_cannot_be_is_refused_in_one_line(
    run: Run,
    written: Files,
    scores: pa.Table,
    more: tuple[str, ...],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("snap_eval.large.LARGE", 10)
    if "s*.parquet" in more:
        import pyarrow.parquet as pq

        twice = pa.concat_tables([scores, scores.slice(0, 1)])
        stamped = twice.replace_schema_metadata(pq.read_schema(written[0]).metadata)
        pq.write_table(stamped, written[0])
        more = SCANNED
    result = run("correlate", "--scores", written[0], "--graphs", written[1], "--quiet", *more)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert problem in result.stderr


def test_a_scan_accepts_different_cells_of_one_hash(
    run: Run, written: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_eval.large.LARGE", 10)
    monkeypatch.setattr("snap_eval.scanned._KEY", "length(space)")
    result = run("correlate", "--scores", written[0], "--graphs", written[1], *SCANNED, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["correlations"][0]["n"] > 10


def test_a_scan_of_scores_of_no_cell_is_refused_and_without_resamples_has_no_intervals(
    run: Run, written: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_eval.large.LARGE", 10)
    inputs = ("correlate", "--graphs", written[1], *SCANNED, "--json")
    rows = json.loads(run(*inputs, "--scores", written[0], "--bootstrap", 0).stdout)["correlations"]
    assert {(row["low"], row["high"], row["interval"]) for row in rows} == {(None, None, "none")}
    (tmp_path / "none.csv").write_text("space,arch_id,score\nnb201,nowhere,1\n")
    result = run(*inputs, "--scores", tmp_path / "none.csv")
    assert result.exit_code == 1
    assert not result.stdout


def test_the_figures_of_a_filter_are_those_of_the_filtered_file(
    graphs: pa.Table, scores: pa.Table
) -> None:
    kept = graphs.filter(pc.greater(graphs["depth"], 0))
    aims = targets([as_measured(graphs)]), targets([as_measured(kept)])
    some, all_of = (
        correlate([as_scorer(scores)], aim, where=where, bootstrap=50).to_pylist()
        for aim, where in zip(aims, ("depth > 0", ""), strict=True)
    )
    assert some == all_of
