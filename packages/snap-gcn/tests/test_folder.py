import json
from pathlib import Path

import pytest
import torch
from snap_catalog import SnapError
from snap_gcn.model.folder import Model, load, save
from snap_gcn.predictor import Predictor


@pytest.fixture
def model() -> Model:
    return Predictor.bundled().model


def test_a_saved_model_is_read_back(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert all(torch.equal(again.weights[name], value) for name, value in model.weights.items())
    assert again.operators.equals(model.operators)
    assert again.config["training"] == model.config["training"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m"]


def test_saving_replaces_an_older_model(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").write_bytes(b"old")
    save(model, tmp_path / "m")
    load(tmp_path / "m")


def test_saving_never_replaces_a_folder_of_other_files(model: Model, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SnapError, match="holds other files"):
        save(model, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_folder_that_cannot_be_written_is_told(model: Model, unwritable: Path) -> None:
    with pytest.raises(SnapError, match="cannot write here"):
        save(model, unwritable / "m")


@pytest.mark.parametrize("name", ["model.safetensors", "operators.parquet"])
def test_a_damaged_file_is_refused_by_its_hash(model: Model, tmp_path: Path, name: str) -> None:
    save(model, tmp_path / "m")
    path = tmp_path / "m" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(SnapError, match=f"{name}: not the file that config.json vouches for"):
        load(tmp_path / "m")


def test_a_missing_file_is_named(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "m")
    (tmp_path / "m" / "operators.parquet").unlink()
    with pytest.raises(SnapError, match=r"operators\.parquet: no such file"):
        load(tmp_path / "m")


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"format": 99})])
def test_a_bad_configuration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(SnapError, match=r"config\.json: "):
        load(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match="no model folder"):
        load(tmp_path)
