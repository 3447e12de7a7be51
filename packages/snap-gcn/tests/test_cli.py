from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import read, write
from snap_gcn.cli import main
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.recipe import PRESETS


@pytest.fixture
def files(tmp_path: Path, cells: pa.Table, vocabulary: Vocabulary) -> Path:
    write(cells.slice(0, 200), tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    write(vocabulary.table, tmp_path / "o.parquet", "operators", producer="snap-gcn")
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def fit(files: Path, out: Path, *more: str) -> Result:
    metric = () if "--metric" in more else ("--metric", "made/test/acc")
    operators = ("--operators", files / "o.parquet")
    return run(
        "fit", files / "g.parquet", *operators, "--out", out, "--schedule", "short", *metric, *more
    )


def test_fit_and_predict_write_what_the_contracts_say(files: Path) -> None:
    fitted = fit(files, files / "model")
    assert fitted.exit_code == 0, fitted.stderr
    count = len(PRESETS["snap"].members)
    assert f"training epochs: {count} of {count}" in fitted.stderr
    out = files / "s.parquet"
    predicted = run("predict", files / "g.parquet", "--model", files / "model", "-o", out)
    assert predicted.exit_code == 0, predicted.stderr
    assert predicted.stdout == ""
    assert read(out, "scores").num_rows == 200
    assert "Command" in (files / "model" / "README.md").read_text()


def test_predict_takes_operators_that_the_model_does_not_know(
    files: Path, vocabulary: Vocabulary
) -> None:
    table = read(files / "g.parquet", "graphs")
    renamed = [[n.replace("maxpool3x3", "own") for n in ns] for ns in table["nodes"].to_pylist()]
    place = table.column_names.index("nodes")
    table = table.set_column(place, "nodes", pa.array(renamed, pa.list_(pa.string())))
    write(table, files / "own.parquet", "graphs", producer="snap-graphs")
    refused = run("predict", files / "own.parquet", "-o", files / "s.parquet")
    assert refused.exit_code == 1
    assert "no vector for operator 'own'" in refused.stderr
    assert not (files / "s.parquet").exists()
    own = vocabulary.table.slice(0, 1)
    for column, value in (("op", "own"), ("space", None)):
        at = own.column_names.index(column)
        own = own.set_column(at, column, pa.array([value], pa.string()))
    write(own, files / "ops.parquet", "operators", producer="snap-gcn")
    operators = ("--operators", files / "ops.parquet")
    accepted = run("predict", files / "own.parquet", *operators, "-o", files / "s.parquet")
    assert accepted.exit_code == 0, accepted.stderr


def test_a_truncated_file_is_one_line_and_writes_nothing(files: Path) -> None:
    path = files / "g.parquet"
    path.write_bytes(path.read_bytes()[:-50])
    result = run("predict", path, "-o", files / "s.parquet")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert f"{path}: not a readable Parquet file" in result.stderr
    assert not (files / "s.parquet").exists()


def test_a_cyclic_graph_is_refused_by_row_and_name(files: Path) -> None:
    table = pq.read_table(files / "g.parquet")
    src, dst = (table.column_names.index(c) for c in ("src", "dst"))
    turned = table.set_column(src, "src", table["dst"]).set_column(dst, "dst", table["src"])
    pq.write_table(turned, files / "cyclic.parquet")
    result = run("predict", files / "cyclic.parquet", "-o", files / "s.parquet")
    assert result.exit_code == 1
    assert "cyclic.parquet: row 1 (" in result.stderr
    assert "a cycle has none" in result.stderr


def test_a_missing_column_is_named_with_its_type(files: Path) -> None:
    table = pq.read_table(files / "g.parquet").drop_columns(["src"])
    pq.write_table(table, files / "less.parquet")
    result = run("predict", files / "less.parquet", "-o", files / "s.parquet")
    assert result.exit_code == 1
    assert "less.parquet: column 'src' (list<int16>) is missing" in result.stderr


@pytest.mark.parametrize(
    ("metric", "fault"), [("made", "more than one"), ("svhn", "fits no metric")]
)
def test_a_metric_that_names_no_column_is_refused(files: Path, metric: str, fault: str) -> None:
    result = fit(files, files / "model", "--metric", metric)
    assert result.exit_code == 1
    assert fault in result.stderr
    assert not (files / "model").exists()


def test_a_place_that_cannot_be_written_is_reported_before_training(
    files: Path, unwritable: Path
) -> None:
    result = fit(files, unwritable / "model")
    assert result.exit_code == 1
    assert "cannot write here" in result.stderr
    assert "training epochs" not in result.stderr
