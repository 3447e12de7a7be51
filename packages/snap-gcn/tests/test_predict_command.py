import json
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import write
from snap_gcn.cli import main


@pytest.fixture
def graphs(tmp_path: Path, cells: pa.Table) -> Path:
    write(cells, tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    return tmp_path / "g.parquet"


def predict(graphs: Path, *more: str) -> Result:
    out = graphs.parent / "s.parquet"
    return CliRunner().invoke(main, ["predict", str(graphs), "-o", str(out), *more])


def test_the_verdict_is_a_line_of_its_own_and_details_follow(graphs: Path) -> None:
    done = predict(graphs)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    *_, verdict, expected, spread, operators, shapes, agreement = done.stderr.splitlines()
    assert verdict == "rely on this ranking as on nb101 (Spearman 0.96 there)"
    assert expected.startswith("  Spearman to expect: 0.")
    assert spread.startswith("  disagreement of the members: ")
    assert operators == "  operators unlike those of training: none"
    assert shapes == "  graphs of unseen shape: 0%; novelty 0.00"
    assert agreement.startswith("  rank agreement: params ")


def test_json_goes_to_standard_output(graphs: Path) -> None:
    done = predict(graphs, "--json")
    reported = json.loads(done.stdout)
    assert reported["scorer"] == "gcn:snap"
    assert reported["verdict"].startswith("rely on this ranking as on nb101")
    assert reported["operators"] == {}
    assert 0 < reported["expected"]["low"] < reported["expected"]["high"] <= 1
    assert "rely" not in done.stderr


def test_quiet_says_nothing(graphs: Path) -> None:
    done = predict(graphs, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_a_device_that_is_not_there_is_refused_in_one_line(
    graphs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    done = predict(graphs, "--device", "cuda")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "--device cuda: ONNX Runtime finds no such device" in done.stderr


def test_a_place_that_cannot_be_written_is_reported_before_scoring(
    graphs: Path, unwritable: Path
) -> None:
    done = CliRunner().invoke(main, ["predict", str(graphs), "-o", str(unwritable / "s.parquet")])
    assert done.exit_code == 1
    assert "cannot write here" in done.stderr
    assert "scored" not in done.stderr


def test_the_card_of_a_bundled_predictor_is_printed() -> None:
    done = CliRunner().invoke(main, ["card", "paper"])
    assert done.stdout.startswith("# paper\n")
    assert CliRunner().invoke(main, ["card"]).stdout.startswith("# snap\n")


def test_a_folder_without_a_card_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["card", str(tmp_path)])
    assert done.exit_code == 1
    assert "no model card can be read here" in done.stderr
