import gzip
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.csv as csv
import pytest
from click.testing import Result
from snap_catalog.parquet import read

Run = Callable[..., Result]
Files = tuple[Path, Path]
ACCURACY, ENERGY = "cifar10/test/accuracy@200", "hw/toaster/latency_ms"


@pytest.fixture
def table(files: Files, tmp_path: Path) -> str:
    """The cells of the graphs file as the text of a CSV table."""
    graphs = read(files[1], "graphs").select(["space", "arch_id", ACCURACY, "hw/toaster/joules"])
    csv.write_csv(graphs.rename_columns(["space", "arch_id", ACCURACY, ENERGY]), tmp_path / "g.csv")
    return (tmp_path / "g.csv").read_text()


def _rows(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, object]] = json.loads(result.stdout)["correlations"]
    return found


def test_figures_of_a_csv_table_are_those_of_the_graphs_file(
    run: Run, files: Files, table: str, tmp_path: Path
) -> None:
    head, *lines = table.splitlines(keepends=True)
    (tmp_path / "part-1.csv").write_text(head + "".join(lines[:3]))
    (tmp_path / "part-2.csv").write_bytes(gzip.compress((head + "".join(lines[3:])).encode()))
    inputs = ("correlate", "--scores", files[0], "--metric", "cifar10", "--json", "--bootstrap", 50)
    wanted = _rows(run(*inputs, "--graphs", files[1]))
    assert len(wanted) == 5
    for graphs in ("g.csv", "part-*.csv"):
        assert _rows(run(*inputs, "--graphs", f"nb201={graphs}")) == [
            row | {"benchmark": "nb201"} for row in wanted
        ]


def test_the_direction_of_a_metric_follows_from_its_name(
    run: Run, files: Files, table: str
) -> None:
    inputs = ("--scores", files[0], "--graphs", "g.csv", "--metric", ENERGY, "--json")
    assert {row["direction"] for row in _rows(run("correlate", *inputs))} == {"min"}


def test_a_csv_table_is_filtered_compared_and_kept_in_a_database(
    run: Run, files: Files, table: str, tmp_path: Path
) -> None:
    inputs = ("--graphs", "g.csv", "--metric", ACCURACY)
    where = ("--where", f'"{ACCURACY}" > 50', "--db", "r.duckdb", "--json")
    rows = _rows(run("correlate", "--scores", files[0], *inputs, *where))
    assert rows[0]["n"] == 6
    with duckdb.connect(str(tmp_path / "r.duckdb"), read_only=True) as database:
        assert database.execute("SELECT count(*), count(cell_hash) FROM cells").fetchall() == [
            (8, 0)
        ]
    assert run("compare", files[0], f":{ENERGY}", *inputs).exit_code == 0


@pytest.mark.parametrize(
    ("before", "after", "more", "problem"),
    [
        ('"arch_id"', '"name"', (), "g.csv: column 'arch_id' is missing"),
        ('"cell1"', '"cell0"', (), "share space 'nb201', arch_id 'cell0'"),
        ('"cell1"', '""', (), "row 2: column 'arch_id' is empty"),
        (ACCURACY, "svhn/test/charm", (), "'svhn/test/charm' is better is unknown"),
        (ACCURACY, "charm", (), "'charm' is not a metric name"),
        (",91,", ",ninety,", (), "'ninety'"),
        (",91,", ",inf,", (), "of 'cell1' is infinite"),
        ("", "", ("--population", "unique"), "g.csv: has no cell_hash"),
        ("", "", ("--all",), "has no cell_hash"),
        ("", "", ("--scores", ":count:skip"), "no graphs file, so it has no operators to count"),
    ],
)
def test_a_wrong_csv_table_is_refused_in_one_line(
    run: Run,
    files: Files,
    table: str,
    tmp_path: Path,
    before: str,
    after: str,
    more: tuple[str, ...],
    problem: str,
) -> None:
    assert before in table
    (tmp_path / "g.csv").write_text(table.replace(before, after, 1))
    inputs = ("--scores", files[0], "--graphs", "g.csv", "--quiet")
    result = run("correlate", *inputs, *more)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert problem in result.stderr
    assert not (tmp_path / "correlations.parquet").exists()


def test_a_csv_benchmark_of_one_cell_has_undefined_correlations(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(f"space,arch_id,{ACCURACY},params\nnb201,a,90,1000\n")
    inputs = ("correlate", "--scores", ":params", "--graphs", tmp_path / "one.csv", "--json")
    rows = _rows(run(*inputs, "--bootstrap", 0))
    assert {row["n"] for row in rows} == {1}
    assert rows[0]["value"] is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"space;arch_id;{ACCURACY}\nnb201;a;90\n", "separate columns by commas"),
        (f"space,arch_id,{ACCURACY}\nnb201,a,90\nnb201,b,failed\n", "holds 'failed'"),
        (f"space,arch_id,{ACCURACY},nodes\nnb201,a,90,x\n", "a CSV cannot hold the graphs"),
    ],
)
def test_what_a_csv_cannot_say_is_named(
    run: Run, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "cells.csv").write_text(content)
    result = run("correlate", "--scores", ":params", "--graphs", tmp_path / "cells.csv")
    assert result.exit_code == 1
    assert message in result.stderr


def test_a_pattern_of_csv_and_parquet_is_refused(
    run: Run, files: Files, table: str, tmp_path: Path
) -> None:
    (tmp_path / "x1.csv").write_text(table)
    (tmp_path / "x2.parquet").write_bytes(files[1].read_bytes())
    result = run("correlate", "--scores", files[0], "--graphs", f"m={tmp_path}/x*")
    assert result.exit_code == 1
    assert "fits Parquet and CSV files" in result.stderr
