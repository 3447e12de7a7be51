import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from snap_catalog import SnapError
from snap_gcn.cli import main
from snap_gcn.model import export as module
from snap_gcn.model.export import export, inputs
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.predictor import Predictor
from snap_graphs import Graphs


@pytest.mark.parametrize("name", BUNDLED)
def test_onnxruntime_scores_as_the_predictor_does(name: str, tmp_path: Path) -> None:
    predictor = Predictor.bundled(name)
    assert export(predictor, str(tmp_path / "m.onnx")) <= 1e-5
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", _quiet())
    rng = np.random.default_rng(0)
    for count, size in ((1, 2), (40, 8), (3, 30)):
        op = rng.integers(len(predictor.vocabulary.vectors), size=(count, size))
        adjacency = np.triu(rng.random((count, size, size)) < 0.4, 1)
        graphs = Graphs.from_dense((), op, adjacency)
        expected = predictor.score_as_seen(graphs, op.ravel())
        (found,) = session.run(["score"], inputs(predictor, op, adjacency))
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, abs(expected).max()))


def test_other_operators_than_the_models_can_be_given(tmp_path: Path) -> None:
    predictor = Predictor.bundled("paper")
    export(predictor, str(tmp_path / "m.onnx"))
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", _quiet())
    vectors = predictor.vocabulary.vectors[::-1][:5].copy()
    op = np.array([[0, 3, 2, 1]])
    adjacency = np.triu(np.ones((1, 4, 4), np.bool_), 1)
    own = session.run(["score"], {"vectors": vectors, "op": op, "adjacency": adjacency})
    rows = len(predictor.vocabulary.vectors) - 1 - op
    same = session.run(["score"], {"op": rows, "adjacency": adjacency})
    np.testing.assert_allclose(own, same, rtol=1e-5)


def test_the_command_says_how_exact_the_file_is(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["export", "paper", str(tmp_path / "m.onnx")])
    assert done.exit_code == 0, done.stderr
    assert f"{tmp_path}/m.onnx: scores as gcn:paper does" in done.stderr


def test_a_file_that_scores_differently_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_difference", lambda *_: 0.5)
    with pytest.raises(SnapError, match=r"m\.onnx: onnxruntime scores differently, by 5\.0e-01"):
        export(Predictor.bundled("paper"), str(tmp_path / "m.onnx"))
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    done = CliRunner().invoke(main, ["export", "paper", str(tmp_path / "m.onnx")])
    assert done.exit_code == 1
    assert "run: pip install 'snap-gcn[onnx]'" in done.stderr


def _quiet() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options
