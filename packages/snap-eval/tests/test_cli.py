import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import Result
from snap_catalog.parquet import read, write

Run = Callable[..., Result]
Make = Callable[..., pa.Table]
Files = tuple[Path, Path]
FAST = ("--bootstrap", "20")


def _refusal(result: Result, output: Path) -> str:
    """Return the one line of an expected failure that wrote nothing."""
    assert (result.exit_code, result.stdout) == (1, "")
    assert not output.exists()
    (line,) = result.stderr.splitlines()
    return line


def test_a_table_is_printed_and_a_file_written(run: Run, files: Files, tmp_path: Path) -> None:
    result = run("correlate", *files, "--metric", "accuracy", *FAST)
    assert result.exit_code == 0, result.stderr
    table = read(tmp_path / "correlations.parquet", "correlations")
    assert table.num_rows == 4
    for row in table.to_pylist():
        assert f"{row['value']:+.4f}" in result.stdout
        assert f"{row['low']:+.4f} to {row['high']:+.4f}" in result.stdout
    assert "gcn on nb201 (develop)" in result.stdout
    assert "cifar10/test/accuracy@200 (higher is better)" in result.stdout
    assert "Cells compared: 8. Left out: 0 of" in result.stderr


def test_a_negated_metric_is_said_to_be(run: Run, files: Files) -> None:
    result = run("correlate", *files, "--metric", "toaster", *FAST)
    assert "hw/toaster/joules (lower is better: negated" in result.stdout
    assert "role unknown" in result.stderr


def test_json_is_the_file_and_nothing_else(run: Run, files: Files, tmp_path: Path) -> None:
    result = run("correlate", *files, "--metric", "accuracy", "-o", "c.parquet", "--json", *FAST)
    printed = json.loads(result.stdout)
    assert printed["correlations"] == read(tmp_path / "c.parquet", "correlations").to_pylist()
    assert (printed["direction"], printed["graphs_without_score"]) == ("max", 0)


def test_quiet_leaves_the_error_stream_empty(run: Run, files: Files) -> None:
    result = run("correlate", *files, "--metric", "accuracy", "--quiet", *FAST)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "spearman" in result.stdout


def test_equal_seeds_give_identical_files(run: Run, files: Files, tmp_path: Path) -> None:
    for name, seed in {"one": 3, "same": 3, "other": 4}.items():
        run("correlate", *files, "--metric", "accuracy", "-o", name, "--seed", seed, *FAST)
    one, same, other = ((tmp_path / name).read_bytes() for name in ("one", "same", "other"))
    assert one == same
    assert one != other


def test_what_is_left_out_is_said(
    run: Run, make_graphs: Make, make_scores: Make, tmp_path: Path
) -> None:
    graphs = make_graphs(list("abcd"), {"hw/fpga/latency_ms": [1.0, 2.0, None, 4.0]})
    scores = make_scores(list("abcxyz"), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    write(graphs, tmp_path / "g.parquet", "graphs", producer="snap-eval")
    write(scores, tmp_path / "s.parquet", "scores", producer="snap-eval")
    result = run("correlate", "s.parquet", "g.parquet", "--metric", "fpga", *FAST)
    assert (
        "Cells compared: 2. Left out: 3 of s.parquet (no graph), 1 of g.parquet (no score), "
        "1 in both (no value of hw/fpga/latency_ms)."
    ) in result.stderr
    assert "spearman over all cells is undefined" in result.stderr
    assert "undefined" in result.stdout


def test_files_without_a_common_cell_are_refused(
    run: Run, files: Files, make_scores: Make, tmp_path: Path
) -> None:
    write(make_scores(["z"], [1]), tmp_path / "z.parquet", "scores", producer="snap-eval")
    result = run("correlate", "z.parquet", files[1], "--metric", "accuracy")
    line = _refusal(result, tmp_path / "correlations.parquet")
    assert "z.parquet" in line
    assert str(files[1]) in line


def test_a_truncated_file_is_refused(run: Run, files: Files, tmp_path: Path) -> None:
    files[0].write_bytes(files[0].read_bytes()[:-100])
    line = _refusal(
        run("correlate", *files, "--metric", "accuracy"), tmp_path / "correlations.parquet"
    )
    assert f"{files[0]}: not a readable Parquet file" in line


def test_a_missing_file_is_refused(run: Run, files: Files, tmp_path: Path) -> None:
    result = run("correlate", "gone.parquet", files[1], "--metric", "accuracy")
    assert "gone.parquet: no such file" in _refusal(result, tmp_path / "correlations.parquet")


def test_a_missing_column_is_refused(run: Run, files: Files, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(files[0]).drop_columns(["score"]), files[0])
    line = _refusal(
        run("correlate", *files, "--metric", "accuracy"), tmp_path / "correlations.parquet"
    )
    assert f"{files[0]}: column 'score' (double) is missing" in line


def test_swapped_files_are_refused(run: Run, files: Files, tmp_path: Path) -> None:
    result = run("correlate", *files[::-1], "--metric", "accuracy")
    line = _refusal(result, tmp_path / "correlations.parquet")
    assert "expected a file of kind 'scores', but this one is 'graphs'" in line


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
    line = _refusal(run("correlate", *files, "--metric", metric), tmp_path / "correlations.parquet")
    assert problem in line
    assert "hw/toaster/joules" in line


def test_a_folder_that_cannot_be_written_to_is_refused(run: Run, files: Files) -> None:
    output = Path("/proc/snap/correlations.parquet")
    result = run("correlate", *files, "--metric", "accuracy", "-o", output, "--quiet", *FAST)
    assert f"{output}: cannot write here" in _refusal(result, output)


@pytest.mark.parametrize("wrong", [[], ["--metric", "accuracy", "--bootstrap", "-1"]])
def test_wrong_usage_exits_with_2(run: Run, files: Files, wrong: list[str]) -> None:
    assert run("correlate", *files, *wrong).exit_code == 2


def test_help_waits_for_no_heavy_library() -> None:
    check = (
        "import sys, snap_eval.cli; "
        "print([m for m in ('duckdb', 'numpy', 'pyarrow', 'rich', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "[]\n")
