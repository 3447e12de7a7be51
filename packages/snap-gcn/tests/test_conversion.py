import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from snap_gcn.cli import main
from snap_gcn.model.folder import load, locate
from snap_gcn.predictor import Predictor


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The bundled predictor `paper` as a folder of the first format had it."""
    folder = tmp_path / "old"
    folder.mkdir()
    config = json.loads((locate("paper") / "config.json").read_text())
    for recipe in config["members"]:
        recipe["home"] = recipe.pop("training_space", False)
    sums = {}
    for name in ("model.safetensors", "operators.parquet"):
        shutil.copy(locate("paper") / name, folder / name)
        sums[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    for entry in ("training_space", "calibration", "paths"):
        config.pop(entry, None)
    (folder / "config.json").write_text(json.dumps({**config, "format": 1, "sha256": sums}))
    return folder


def convert(old: Path, new: Path) -> Result:
    return CliRunner().invoke(main, ["convert", str(old), str(new)])


def test_a_converted_model_has_the_same_weights_and_scores(
    old: Path, tmp_path: Path, cells: pa.Table
) -> None:
    done = convert(old, tmp_path / "new")
    assert done.exit_code == 0, done.stderr
    new, paper = load(tmp_path / "new"), load(locate("paper"))
    assert all(np.array_equal(new.weights[name], value) for name, value in paper.weights.items())
    scores = Predictor(new).score(cells)
    expected = Predictor(paper).score(cells)
    np.testing.assert_allclose(scores, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b"[" * 100_000),
        ("config.json", b'{"format": 1}'),
        ("config.json", b'{"format": 2}'),
        ("model.safetensors", b"other"),
    ],
)
def test_a_damaged_model_is_refused_in_one_line(
    old: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    (old / name).write_bytes(content)
    done = convert(old, tmp_path / "new")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert f"{old}/{name}" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_of_other_files_is_not_replaced(old: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "notes.txt").write_text("mine")
    done = convert(old, tmp_path / "new")
    assert done.exit_code == 1
    assert "notes.txt" in done.stderr
