import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from snap_catalog import SnapError
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
        ("config.json", b'{"format": 3}'),
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


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The bundled predictor `paper` as a folder of the second format had it."""
    folder = tmp_path / "second"
    shutil.copytree(locate("paper"), folder)
    config = json.loads((folder / "config.json").read_text())
    for entry in ("one_form", "prior", "networks", "kind", "adapted"):
        config.pop(entry)
    _sign(folder, {**config, "format": 2})
    return folder


def _sign(folder: Path, config: dict[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / "SHA256SUMS").write_text("".join(f"{v}  {k}\n" for k, v in sums.items()))


def test_a_model_of_the_second_format_is_refused_until_it_is_converted(
    second: Path, tmp_path: Path, cells: pa.Table
) -> None:
    with pytest.raises(SnapError, match=f"format 2; run: snap-gcn convert {second} NEW"):
        load(second)
    done = convert(second, tmp_path / "new")
    assert done.exit_code == 0, done.stderr
    expected = Predictor.bundled("paper").score(cells)
    assert Predictor(load(tmp_path / "new")).score(cells).tolist() == expected.tolist()


def test_a_model_that_counts_paths_otherwise_is_to_be_trained_again(
    second: Path, tmp_path: Path
) -> None:
    config = json.loads((second / "config.json").read_text())
    _sign(second, {**config, "paths": 0.85})
    done = convert(second, tmp_path / "new")
    assert done.exit_code == 1
    assert "train the model again" in done.stderr


def test_a_folder_of_other_files_is_not_replaced(old: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "notes.txt").write_text("mine")
    done = convert(old, tmp_path / "new")
    assert done.exit_code == 1
    assert "notes.txt" in done.stderr
