import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import Result
from snap_catalog.parquet import decode_metadata, read, write
from snap_eval.statistics import names

Run = Callable[..., Result]
Make = Callable[..., pa.Table]
Files = tuple[Path, Path]
ACCURACY = "cifar10/test/accuracy@200"
FAST = ("--bootstrap", "20")


def _inputs(files: Files) -> list[object]:
    return ["--scores", files[0], "--graphs", files[1]]


def _refusal(result: Result, output: Path) -> str:
    """Return the one line of an expected failure that wrote nothing."""
    assert (result.exit_code, result.stdout) == (1, "")
    assert not output.exists()
    (line,) = result.stderr.splitlines()
    return line


def test_a_table_is_printed_and_a_file_written(run: Run, files: Files, tmp_path: Path) -> None:
    result = run("correlate", *_inputs(files), "--metric", "accuracy", *FAST)
    assert result.exit_code == 0, result.stderr
    table = read(tmp_path / "correlations.parquet", "correlations")
    for row in table.to_pylist():
        if row["value"] is not None:
            assert f"{row['value']:+.4f}" in result.stdout
            assert f"{row['low']:+.4f} to {row['high']:+.4f}" in result.stdout
    assert "gcn on nb201 (develop), cifar10/test/accuracy@200 (higher is better)" in result.stdout


def test_a_negated_metric_is_said_to_be(run: Run, files: Files) -> None:
    result = run("correlate", *_inputs(files), "--metric", "toaster", *FAST)
    assert "hw/toaster/joules (lower is better: negated)" in result.stdout
    assert "role unknown" in result.stderr


def test_nothing_is_said_of_the_role_of_a_benchmark_that_is_not_catalogued(
    run: Run, files: Files
) -> None:
    inputs = ("--scores", files[0], "--graphs", f"mine={files[1]}", "--metric", "accuracy")
    result = run("correlate", *inputs, *FAST)
    assert "gcn on mine, cifar10/test/accuracy@200" in result.stdout
    assert "role" not in result.stderr


MAIN = ["spearman", "kendall_tau_b", "spearman@top10%", "best@10", "regret@10"]


@pytest.mark.parametrize(
    ("more", "statistics", "populations"),
    [
        ([], MAIN, ["all"]),
        (["--all"], names(), ["all", "unique", "unique_reachable"]),
        (["--statistic", "pearson"], ["pearson"], ["all"]),
        (["--population", "unique"], MAIN, ["unique"]),
    ],
)
def test_what_is_asked_for_is_printed_and_written(
    run: Run,
    files: Files,
    tmp_path: Path,
    more: list[str],
    statistics: list[str],
    populations: list[str],
) -> None:
    result = run("correlate", *_inputs(files), "--metric", "accuracy", *more, *FAST)
    assert result.exit_code == 0, result.stderr
    table = read(tmp_path / "correlations.parquet", "correlations")
    assert [*dict.fromkeys(table["statistic"].to_pylist())] == statistics
    assert [*dict.fromkeys(table["population"].to_pylist())] == populations
    for word in (*statistics, *populations):
        assert f" {word} " in result.stdout


def test_the_tables_fit_into_80_columns(run: Run, files: Files) -> None:
    more = ("--scores", "convolutions=:count:input", "--scores", ":depth", "--metric", "accuracy")
    for scorers in ((), more):
        result = run("correlate", *_inputs(files), *scorers, "--metric", "accuracy", *FAST)
        assert max(map(len, result.stdout.splitlines())) <= 80


def test_several_scorers_stand_beside_one_another(run: Run, files: Files) -> None:
    more = ("--scores", ":depth", "--scores", "inputs=:count:input", "--flip", "--metric", "acc")
    result = run("correlate", *_inputs(files), *more, *FAST)
    assert result.exit_code == 0, result.stderr
    for name in ("gcn", "gcn, flipped", "depth", "inputs", "kendall", "tau_b", "best", "@10"):
        assert name in result.stdout
    assert "depth on nb201, cifar10/test/accuracy@200: undefined" in result.stderr


def test_json_is_the_file_and_nothing_else(run: Run, files: Files, tmp_path: Path) -> None:
    more = ("--metric", "accuracy", "-o", "c.parquet", "--json", "--seed", "2")
    result = run("correlate", *_inputs(files), *more, *FAST)
    printed = json.loads(result.stdout)
    assert printed["correlations"] == read(tmp_path / "c.parquet", "correlations").to_pylist()
    assert (printed["bootstrap"], printed["bootstrap_seed"]) == (20, 2)


def test_quiet_leaves_the_error_stream_empty(run: Run, files: Files) -> None:
    result = run("correlate", *_inputs(files), "--metric", "accuracy", "--quiet", *FAST)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "spearman" in result.stdout


def test_equal_seeds_give_identical_files(run: Run, files: Files, tmp_path: Path) -> None:
    for name, seed in {"one": 3, "same": 3, "other": 4}.items():
        more = ("--metric", "accuracy", "-o", name, "--seed", seed)
        run("correlate", *_inputs(files), *more, *FAST)
    one, same, other = ((tmp_path / name).read_bytes() for name in ("one", "same", "other"))
    assert one == same
    assert one != other


def test_what_is_left_out_is_counted_and_named(
    run: Run, make_graphs: Make, make_scores: Make, tmp_path: Path
) -> None:
    graphs = make_graphs(list("abcde"), {"hw/fpga/latency_ms": [1.0, 2.0, None, 4.0, 5.0]})
    scores = make_scores(list("abcdpqrs"), [1.0, 1.0, 1.0, -1e8, 2.0, 2.0, 2.0, 2.0])
    write(graphs, tmp_path / "g.parquet", "graphs", producer="snap-eval")
    write(scores, tmp_path / "s.parquet", "scores", producer="snap-eval")
    inputs = _inputs((tmp_path / "s.parquet", tmp_path / "g.parquet"))
    result = run("correlate", *inputs, "--metric", "fpga", *FAST)
    assert "s.parquet: 4 scored cells are in no graphs: p, q, r, ...\n" in result.stderr
    assert (
        "gcn on nb201, hw/fpga/latency_ms: 2 cells (all) compared; 1 have no score, 1 a failed one"
    ) in result.stderr
    assert "undefined" in result.stdout


@pytest.mark.parametrize(("sign", "told"), [(-1, "the wrong way round"), (0, "better than chance")])
def test_a_useless_scorer_is_said_to_be(
    run: Run, make_graphs: Make, tmp_path: Path, sign: int, told: str
) -> None:
    names = [f"{i:02}" for i in range(60)]
    write(
        make_graphs(names, {ACCURACY: range(60)}),
        tmp_path / "g.parquet",
        "graphs",
        producer="snap-eval",
    )
    scores = [(sign * i, (7 * i) % 60)[sign == 0] for i in range(60)]
    lines = [f"{name},{score}" for name, score in zip(names, scores, strict=True)]
    (tmp_path / "s.csv").write_text("\n".join(["arch,score", *lines]))
    inputs = _inputs((Path("s.csv"), Path("g.parquet")))
    result = run("correlate", *inputs, "--statistic", "spearman", "--population", "all")
    assert result.exit_code == 0, result.stderr
    assert told in result.stderr


def test_files_without_a_common_cell_are_refused(
    run: Run, files: Files, make_scores: Make, tmp_path: Path
) -> None:
    write(make_scores(["z"], [1]), tmp_path / "z.parquet", "scores", producer="snap-eval")
    result = run("correlate", *_inputs((Path("z.parquet"), files[1])), "--metric", "accuracy")
    line = _refusal(result, tmp_path / "correlations.parquet")
    assert f"z.parquet and {files[1]} have no cell (space, arch_id) in common" in line


def test_a_truncated_file_is_refused(run: Run, files: Files, tmp_path: Path) -> None:
    files[0].write_bytes(files[0].read_bytes()[:-100])
    line = _refusal(
        run("correlate", *_inputs(files), "--metric", "accuracy"), tmp_path / "correlations.parquet"
    )
    assert f"{files[0]}: not a readable Parquet file" in line


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_file_is_refused(run: Run, files: Files, tmp_path: Path, missing: int) -> None:
    files[missing].unlink()
    result = run("correlate", *_inputs(files), "--metric", "accuracy")
    line = _refusal(result, tmp_path / "correlations.parquet")
    assert f"{files[missing]}: no such file" in line


def test_a_missing_column_is_refused(run: Run, files: Files, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(files[0]).drop_columns(["score"]), files[0])
    line = _refusal(
        run("correlate", *_inputs(files), "--metric", "accuracy"), tmp_path / "correlations.parquet"
    )
    assert f"{files[0]}: column 'score' (double) is missing" in line


def test_swapped_files_are_refused(run: Run, files: Files, tmp_path: Path) -> None:
    result = run("correlate", *_inputs(files[::-1]), "--metric", "accuracy")
    line = _refusal(result, tmp_path / "correlations.parquet")
    assert "expected a file of kind 'graphs', but this one is 'scores'" in line


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        ("valid", "fits no metric column"),
        ("", "fits more than one"),
        ("loss", "fits no metric column"),
    ],
)
def test_a_metric_that_is_not_one_column_is_refused(
    run: Run, files: Files, tmp_path: Path, metric: str, problem: str
) -> None:
    result = run("correlate", *_inputs(files), "--metric", metric)
    line = _refusal(result, tmp_path / "correlations.parquet")
    assert problem in line
    assert "hw/toaster/joules" in line


@pytest.mark.parametrize("command", ["correlate", "independence", "combine"])
def test_a_folder_that_cannot_be_written_to_is_refused_first(
    run: Run, command: str, unwritable: Path
) -> None:
    output = unwritable / "out.parquet"
    inputs = ("--scores", "gone.parquet", "--graphs", "gone.parquet")
    line = _refusal(run(command, *inputs, "-o", output), output)
    assert f"{output}: cannot write here" in line


@pytest.mark.parametrize(
    "wrong",
    [
        ["correlate"],
        ["correlate", "--bootstrap", "-1", "--scores", "s", "--graphs", "g"],
        ["correlate", "--bootstrap", "nan", "--scores", "s", "--graphs", "g"],
        ["correlate", "--bootstrap", "1000000000000", "--scores", "s", "--graphs", "g"],
        ["correlate", "--seed", "-1", "--scores", "s", "--graphs", "g"],
        ["correlate", "--seed", "inf", "--scores", "s", "--graphs", "g"],
        ["correlate", "--all", "--statistic", "spearman", "--scores", "s", "--graphs", "g"],
        ["correlate", "--all", "--population", "all", "--scores", "s", "--graphs", "g"],
        ["compare", "a", "b", "--graphs", "g", "--metric", "m", "--bootstrap", "inf"],
        ["compare", "a", "b", "--graphs", "g", "--metric", "m", "--all", "--statistic", "pearson"],
        ["correlate", "--statistic", "luck", "--scores", "s", "--graphs", "g"],
        ["correlate", "--population", "some", "--scores", "s", "--graphs", "g"],
        ["compare", "a", "--graphs", "g", "--metric", "m"],
        ["compare", "a", "b", "--metric", "m"],
        ["independence", "--scores", "s", "--graphs", "g", "--cells", "1"],
        ["independence", "--scores", "s", "--graphs", "g", "--cells", "nan"],
        ["combine", "--scores", "s", "--graphs", "g", "--weight", "s=heavy"],
        ["combine", "--scores", "s", "--graphs", "g", "--weight", "s=nan"],
        ["combine", "--scores", "s", "--graphs", "g", "--weight", "s=-inf"],
        ["combine", "--scores", "s", "--graphs", "g", "--weight", "1"],
        ["combine", "--scores", "s", "--graphs", "g", "--weight", "s=1", "--leave-one-out"],
        ["combine", "--scores", "s", "--graphs", "g", "--metric", "m"],
        ["query", "SELECT 1", "--csv", "--json"],
    ],
)
def test_wrong_usage_exits_with_2(run: Run, wrong: list[str]) -> None:
    assert run(*wrong).exit_code == 2


def test_compare_names_the_better_or_says_no_difference(run: Run, files: Files) -> None:
    names = f"{files[0]}", f"accuracy=:{ACCURACY}"
    more = ("--graphs", files[1], "--metric", "accuracy", *FAST)
    result = run("compare", *names, *more)
    assert result.exit_code == 0, result.stderr
    assert "8 cells that both score" in result.stdout
    same = run("compare", names[0], names[0], *more, "--statistic", "spearman")
    assert "no difference" in same.stdout
    printed = json.loads(run("compare", *names, *more, "--json").stdout)
    assert printed["names"] == ["gcn", "accuracy"]
    by_statistic = {entry["statistic"]: entry for entry in printed["differences"]}
    assert by_statistic["spearman"]["second"] == pytest.approx(1)
    assert by_statistic["best@10"]["first"] is None


@pytest.fixture
def two(files: Files, tmp_path: Path) -> Path:
    """The scores of `files` and their negatives, by another scorer, in one file."""
    table = read(files[0], "scores")
    parts = []
    for name, sign in (("gcn", 1), ("opposite", -1)):
        score = pc.multiply(table["score"], float(sign))
        part = table.set_column(table.column_names.index("score"), "score", score)
        parts.append(part.append_column("scorer", pa.array([name] * len(part))))
    both = pa.concat_tables(parts).replace_schema_metadata({"snap.scorer": "gcn, opposite"})
    write(both, tmp_path / "two.parquet", "scores", producer="snap-eval")
    return tmp_path / "two.parquet"


def test_scorers_of_one_file_are_correlated_apart(
    run: Run, files: Files, two: Path, tmp_path: Path
) -> None:
    inputs = ("--graphs", files[1], "--metric", "accuracy", *FAST, "--statistic", "spearman")
    tables = []
    for file in (two, files[0]):
        result = run("correlate", "--scores", file, *inputs)
        assert result.exit_code == 0, result.stderr
        tables.append(read(tmp_path / "correlations.parquet", "correlations"))
    both, alone = ({row["scorer"]: row["value"] for row in t.to_pylist()} for t in tables)
    assert both == {"gcn": alone["gcn"], "opposite": pytest.approx(-alone["gcn"])}


def test_scorers_of_one_file_are_compared_if_one_is_named(
    run: Run, files: Files, two: Path
) -> None:
    more = ("--graphs", files[1], "--metric", "accuracy", *FAST)
    told = json.loads(run("compare", f"{two}:gcn", f"{two}:opposite", *more, "--json").stdout)
    assert (told["names"], told["seeds"]) == (["gcn", "opposite"], [1, 1])
    for wrong in (two, f"{two.parent}/tw*.parquet"):
        refused = run("compare", wrong, ":test", *more)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert (
            f"several scorers (gcn, opposite) where one is to be compared; name one, as {two}:g"
            in (refused.stderr)
        )


def test_scorers_of_one_file_are_told_apart_in_independence_and_combinations(
    run: Run, files: Files, two: Path
) -> None:
    more = ("--scores", two, "--graphs", files[1])
    result = run("independence", *more, "--json")
    pairs = {(row["scorer"], row["other"]): row["spearman"] for row in json.loads(result.stdout)}
    assert pairs["gcn", "opposite"] == pytest.approx(-1)
    assert len(pairs) == 4
    result = run("combine", *more, "--weight", "opposite=-1")
    assert json.loads(result.stdout) == {"nb201": {"gcn": 1, "opposite": -1}}
    told = run("compare", "combined.parquet", f"{two}:gcn", *more[2:], "--metric", "accuracy")
    assert "no difference" in told.stdout


def test_a_query_sees_the_scorer_of_every_score(run: Run, two: Path) -> None:
    sql = "SELECT file, scorer, count(*) AS n FROM scores GROUP BY ALL ORDER BY ALL"
    assert json.loads(run("query", sql, "--json", "--results", two.parent).stdout) == [
        {"file": "scores.parquet", "scorer": "gcn", "n": 8},
        {"file": "two.parquet", "scorer": "gcn", "n": 8},
        {"file": "two.parquet", "scorer": "opposite", "n": 8},
    ]


def test_independence_is_printed_and_written(run: Run, files: Files, tmp_path: Path) -> None:
    more = ("--scores", f"accuracy=:{ACCURACY}", "--cells", "6")
    result = run("independence", *_inputs(files), *more)
    assert result.exit_code == 0, result.stderr
    table = read(tmp_path / "independence.parquet", "independence")
    assert table.num_rows == 4
    assert set(table["n"].to_pylist()) == {6}
    assert "nb201: Spearman between scorers over 6 cells" in result.stdout
    assert json.loads(run("independence", *_inputs(files), *more, "--json").stdout) == (
        table.to_pylist()
    )


def test_combined_scores_are_a_scorer(run: Run, files: Files, tmp_path: Path) -> None:
    more = ("--scores", f"accuracy=:{ACCURACY}", "--weight", "gcn=0", "-o", "both.parquet")
    result = run("combine", *_inputs(files), *more)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"nb201": {"gcn": 0, "accuracy": 1}}
    assert "both.parquet: scores of 8 cells" in result.stderr
    told = run("compare", "both.parquet", f":{ACCURACY}", *_inputs(files)[2:], "--metric", "acc")
    assert "no difference" in told.stdout
    entries = decode_metadata(read(tmp_path / "both.parquet", "scores").schema)
    assert entries["snap.scorer"] == "combination"


def test_weights_are_not_fitted_on_a_test_benchmark(run: Run, files: Files, tmp_path: Path) -> None:
    graphs = ("--graphs", f"analog-nasbench={files[1]}", "--graphs", f"nb201={files[1]}")
    result = run(
        "combine", "--scores", files[0], *graphs, "--leave-one-out", "--metric", "cifar10/test"
    )
    line = _refusal(result, tmp_path / "combined.parquet")
    assert "has the role 'test', and nothing may be fitted on it" in line


def test_a_query_is_answered_as_a_table_as_csv_and_as_json(run: Run, files: Files) -> None:
    sql = "SELECT arch_id, score FROM scores ORDER BY score DESC LIMIT 2"
    assert "cell5" in run("query", sql).stdout
    rows = [*csv.reader(run("query", sql, "--csv").stdout.splitlines())]
    assert rows == [["arch_id", "score"], ["cell5", "9.0"], ["cell7", "6.0"]]
    there = run("query", sql, "--json", "--results", files[0].parent).stdout
    assert json.loads(there) == [
        {"arch_id": "cell5", "score": 9.0},
        {"arch_id": "cell7", "score": 6.0},
    ]


def test_a_query_that_would_write_is_refused(run: Run, files: Files, tmp_path: Path) -> None:
    line = _refusal(run("query", "COPY scores TO 'x.csv'"), tmp_path / "x.csv")
    assert "only one SELECT statement is allowed, but this is COPY" in line


def test_help_waits_for_no_heavy_library() -> None:
    check = (
        "import sys, snap_eval.cli; "
        "print([m for m in ('duckdb', 'numpy', 'pyarrow', 'rich', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "[]\n")
