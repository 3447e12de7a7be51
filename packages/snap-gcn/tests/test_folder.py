import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as tensors_of
from safetensors.numpy import save as bytes_of
from snap_catalog import SnapError
from snap_gcn.cli import main
from snap_gcn.model.folder import Model, load, locate, save
from snap_gcn.predictor import Predictor
from snap_graphs import Cell

CELL = Cell(("input", "nor_conv_3x3", "output"), ((0, 1), (1, 2)))


@pytest.fixture(scope="module")
def model() -> Model:
    return load(locate("snap"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A model folder to damage."""
    return Path(shutil.copytree(locate("snap"), tmp_path / "m"))


def sign(folder: Path) -> None:
    """Renew the checksums of a damaged folder."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (folder / "SHA256SUMS").write_text("".join(sums))


def use(folder: Path) -> None:
    """Load a model and score with it."""
    Predictor.load(folder).score([CELL], space="nb201")


def refusal(folder: Path) -> str:
    """Return the one line with which a folder is refused."""
    with pytest.raises(SnapError) as caught:
        use(folder)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 1_000
    return line


def is_used_or_refused_in_one_line(folder: Path) -> bool:
    """Return whether a model scores, or is refused in one line that names the folder."""
    try:
        use(folder)
    except SnapError as error:
        return "\n" not in str(error) and str(folder) in str(error)
    return True


def test_a_saved_model_is_read_back(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert all(np.array_equal(again.weights[name], v) for name, v in model.weights.items())
    assert again.operators.equals(model.operators)
    assert again.config == model.config
    assert again.networks == model.networks
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_saving_replaces_an_older_model(model: Model, tmp_path: Path) -> None:
    save(load(locate("paper")), tmp_path / "m")
    save(model, tmp_path / "m")
    assert load(tmp_path / "m").config.preset == "snap"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_model_whose_card_was_edited_is_not_replaced(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "m")
    (tmp_path / "m" / "README.md").write_text("my own words")
    with pytest.raises(SnapError, match=r"holds 'README\.md', which was changed since"):
        save(model, tmp_path / "m")
    assert (tmp_path / "m" / "README.md").read_text() == "my own words"


@pytest.mark.parametrize("name", ["thesis.tex", "config.json"])
def test_saving_never_touches_a_folder_that_holds_other_files(
    model: Model, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("years of work")
    with pytest.raises(SnapError, match=f"holds '{name}', which no earlier training wrote"):
        save(model, tmp_path)
    assert (tmp_path / name).read_text() == "years of work"


def test_a_file_next_to_a_model_keeps_the_folder_from_being_replaced(
    model: Model, tmp_path: Path
) -> None:
    save(model, tmp_path / "m")
    (tmp_path / "m" / "notes.txt").write_text("mine")
    with pytest.raises(SnapError, match=r"holds 'notes\.txt'"):
        save(model, tmp_path / "m")
    assert (tmp_path / "m" / "notes.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_reported(model: Model, unwritable: Path) -> None:
    with pytest.raises(SnapError, match="cannot write here"):
        save(model, unwritable / "m")


_KILLED = """
import os, signal, sys
from pathlib import Path
from snap_gcn.model import folder
name = sys.argv[2]
owner = {"exchange": folder, "fill": folder}[name]
def killed(*arguments):
    if name == "exchange":
        exchange(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
exchange = folder._exchange
setattr(folder, f"_{name}", killed)
folder.save(folder.load(folder.locate("snap")), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("moment", ["fill", "exchange"])
def test_a_kill_leaves_a_whole_model(model: Model, tmp_path: Path, moment: str) -> None:
    save(model, tmp_path / "m")
    script = [sys.executable, "-c", _KILLED, str(tmp_path / "m"), moment]
    assert subprocess.run(script, check=False).returncode == -signal.SIGKILL
    load(tmp_path / "m")


def test_without_an_exchange_in_one_step_a_model_is_replaced_all_the_same(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "elsewhere")
    for _ in range(2):
        save(model, tmp_path / "m")
    load(tmp_path / "m")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("name", ["model.safetensors", "operators.parquet", "model.onnx"])
def test_a_damaged_file_is_refused_by_its_checksum(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    assert f"{name}: its SHA-256 is not the one in SHA256SUMS" in refusal(copy)


@pytest.mark.parametrize("name", ["operators.parquet", "model.onnx", "README.md"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert f"{name}: no such file" in refusal(copy)


def test_a_listed_file_outside_the_folder_is_not_read(copy: Path) -> None:
    with (copy / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  ../../../../etc/hostname\n")
    assert "lies outside the model folder" in refusal(copy)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    assert "no model folder" in refusal(tmp_path)


def test_a_model_of_the_first_format_is_refused_with_the_command_that_converts_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"format": 1, "preset": "paper"}))
    assert f"run: snap-gcn convert {tmp_path} NEW" in refusal(tmp_path)


def _configured(folder: Path, change: Callable[[dict[str, Any]], Any]) -> str:
    """Change the configuration, sign the folder, and return how it is refused."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    text = change(config)
    path.write_text(text if isinstance(text, str) else json.dumps(config))
    sign(folder)
    line = refusal(folder)
    assert "config.json" in line
    return line


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.__delitem__("preset"), "preset"),
        (lambda c: c["training"].__delitem__("tau"), "$.training"),
        (lambda c: c.update(training=[]), "$.training"),
        (lambda c: c.update(members=[]), "$.members"),
        (lambda c: c["members"][3].update(layers="three"), "$.members[3].layers"),
        (lambda c: c["members"][0].update(layers=10**30), "$.members[0].layers"),
        (lambda c: c["members"][0].update(views=["blur"]), "$.members[0].views"),
        (lambda c: c.update(seed=10**400), "config.json"),
        (lambda c: c.update(extra=1), "extra"),
        (lambda c: c.update(format=4), "$.format"),
        (lambda c: c["trained_operators"].append(["nb101", "conv9x9"]), "conv9x9"),
        (lambda c: c["training_space"]["operators"].append(["a", "b"]), "'b'"),
        (lambda c: c["training"]["shapes"].update(height=[1, 2]), "shapes"),
        (lambda c: c.update(training_space=None), "training_space"),
        (lambda _: "{", "config.json"),
        (lambda _: "[]", "config.json"),
        (lambda _: '{"format": ' * 100_000, "config.json"),
        (lambda _: "[" * 100_000, "config.json"),
    ],
)
def test_a_damaged_entry_is_named_even_if_the_folder_is_signed(
    copy: Path, change: Callable[[dict[str, Any]], Any], named: str
) -> None:
    assert named in _configured(copy, change)


def _leaves(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a configuration, its tables included."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    below = [
        place
        for key, value in items
        for place in (
            _leaves(value, (*path, key)) if isinstance(value, dict | list) else [(*path, key)]
        )
    ]
    return [path, *below] if path else below


_PLACES = _leaves(json.loads((locate("snap") / "config.json").read_text()))
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(_PLACES), _JUNK, st.booleans())
def test_any_entry_may_be_anything(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], junk: Any, drop: bool
) -> None:
    folder = tmp_path_factory.mktemp("fuzz") / "m"
    shutil.copytree(locate("snap"), folder, copy_function=os.link)
    config = json.loads((folder / "config.json").read_text())
    *way, last = place
    table = config
    for step in way:
        table = table[step]
    if drop:
        del table[last]
    else:
        table[last] = junk
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "SHA256SUMS").unlink()
    sign(folder)
    assert is_used_or_refused_in_one_line(folder)
    shutil.rmtree(folder)


def _weighted(folder: Path, change: Callable[[dict[str, np.ndarray]], Any]) -> str:
    """Change the weights, sign the folder, and return how it is refused."""
    weights = tensors_of((folder / "model.safetensors").read_bytes())
    change(weights)
    (folder / "model.safetensors").write_bytes(bytes_of(weights))
    sign(folder)
    return refusal(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.pop("paths.weights"),
        lambda w: w.update({"paths.weights": np.zeros(5)}),
        lambda w: w.update({"paths.weights": np.full(4, np.nan)}),
        lambda w: w.update({"paths.examples": np.zeros((4, 7), np.float32)}),
        lambda w: w.update({"paths.bias": np.zeros(1, np.bool_)}),
        lambda w: w.update({"paths.shapes.nodes": np.zeros(3, np.int64)}),
    ],
)
def test_signed_weights_of_wrong_shape_type_or_value_are_refused(
    copy: Path, change: Callable[[dict[str, np.ndarray]], Any]
) -> None:
    line = _weighted(copy, change)
    assert "model.safetensors: paths." in line


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["model.onnx", "model.safetensors", "operators.parquet"]),
    st.floats(0, 1, exclude_max=True),
    st.binary(min_size=1, max_size=8),
    st.booleans(),
)
def test_any_bytes_of_a_signed_folder_may_be_damaged(
    tmp_path_factory: pytest.TempPathFactory, name: str, at: float, junk: bytes, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("fuzz") / "m"
    shutil.copytree(locate("paper"), folder)
    content = (folder / name).read_bytes()
    place = int(at * len(content))
    damaged = content[:place] if cut else content[:place] + junk + content[place + len(junk) :]
    (folder / name).write_bytes(damaged)
    sign(folder)
    assert is_used_or_refused_in_one_line(folder)
    shutil.rmtree(folder)


def test_networks_of_another_model_are_refused(copy: Path) -> None:
    shutil.copy(locate("paper") / "model.onnx", copy / "model.onnx")
    sign(copy)
    assert "model.onnx: damaged, or not of this model" in refusal(copy)


def test_operators_of_another_dimension_are_refused(copy: Path) -> None:
    from snap_catalog.parquet import write

    table = load(copy).operators
    vectors = [[1.0, 2.0]] * table.num_rows
    place = table.column_names.index("embedding")
    short = table.set_column(place, "embedding", pa.array(vectors, pa.list_(pa.float32(), 2)))
    write(short, copy / "operators.parquet", "operators", producer="snap-gcn")
    sign(copy)
    assert str(copy) in refusal(copy)


def test_the_command_reports_a_damaged_folder_in_one_line(copy: Path, tmp_path: Path) -> None:
    _configured(copy, lambda c: c.__delitem__("members"))
    done = CliRunner().invoke(main, ["predict", str(tmp_path / "g.parquet"), "--model", str(copy)])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
