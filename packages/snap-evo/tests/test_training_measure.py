"""The measurer `train:DATA`."""

from pathlib import Path

import numpy as np
import pytest
from snap_catalog import SnapError
from snap_graphs import graph_table, space

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from snap_evo.training import measurer
from snap_evo.training.checkpoint import read_content

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|"
SETTINGS = "epochs=2,layers=3,channels=8,augment=none"
OWN = """
name = "mine"
nodes = 2
edges = "all"
[operators]
broken = { description = "Convolution 3x3", module = "broken.py:Broken" }
"""
BROKEN = """
from torch import nn

class Broken(nn.Conv2d):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__(in_channels, out_channels, 3, stride, 1)

    def forward(self, x):
        if x.device.type == "meta":
            return super().forward(x)
        raise RuntimeError("it does not work")
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "noise.npz"
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (30, 8, 8), dtype=np.uint8)
    np.savez(path, images=pixels, labels=np.arange(30) % 3)
    return path


def test_an_architecture_is_measured_and_not_trained_again(data: Path, tmp_path: Path) -> None:
    cells = space("nb201")
    measured = measurer(f"{data},{SETTINGS}", cells)
    assert (measured.metric, measured.direction) == ("noise/valid/accuracy", "max")
    graph = graph_table(cells, [cells.parse(CELL)])
    folder = tmp_path / "1"
    first = measured.measure(graph, folder)
    assert first.value is not None
    assert 0 <= first.value <= 100
    before = (folder / "checkpoint.safetensors").stat().st_mtime_ns
    assert measured.measure(graph, folder) == first
    assert (folder / "checkpoint.safetensors").stat().st_mtime_ns == before
    facts = read_content(folder / "weights.safetensors")
    assert (facts["epochs"], facts["layers"], facts["channels"]) == (2, 3, 8)
    assert measured.measure(graph, tmp_path / "2") == first


def test_a_network_that_fails_is_a_failed_measurement(data: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    (tmp_path / "broken.py").write_text(BROKEN)
    cells = space(str(tmp_path / "own.toml"), allow_code=True)
    graph = graph_table(cells, list(cells.enumerate()))
    outcome = measurer(str(data), cells).measure(graph, tmp_path / "1")
    assert outcome.value is None
    assert "the network fails in training (RuntimeError: it does not work)" in outcome.note


def test_damaged_data_end_the_search(data: Path, tmp_path: Path) -> None:
    cells = space("nb201")
    data.write_bytes(b"PK")
    with pytest.raises(SnapError, match=r"noise\.npz"):
        measurer(str(data), cells).measure(graph_table(cells, [cells.parse(CELL)]), tmp_path / "1")


def test_code_needs_permission(data: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    with pytest.raises(SnapError, match="add --allow-code"):
        measurer(str(data), space(str(tmp_path / "own.toml")))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("epoch=3", "no setting 'epoch'; there are epochs, batch-size"),
        ("epochs=0", "epochs = '0': give a whole number from 1 on"),
        ("epochs=²", "give a whole number from 1 on"),
        ("learning-rate=nan", "give a number above 0"),
        ("learning-rate=fast", "learning-rate = 'fast'"),
        ("augment=crop+turn", "'turn' is none of crop, flip, cutout"),
    ],
)
def test_settings_that_make_no_sense_are_refused(data: Path, settings: str, problem: str) -> None:
    with pytest.raises(SnapError) as refused:
        measurer(f"{data},{settings}", space("nb201"))
    assert problem in str(refused.value)


def test_missing_data_are_refused() -> None:
    with pytest.raises(SnapError, match="missing: no such file or folder"):
        measurer("missing", space("nb201"))
