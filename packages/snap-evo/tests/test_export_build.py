"""`snap-evo export` and `snap-evo build`."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from snap_evo.cli import main
from snap_graphs import space
from snap_graphs.spaces.genotypes import Genotype

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"
SMALL = ("--layers", "3", "--channels", "8", "--input", "16", "--quiet")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def refused(*arguments: str, code: int = 1) -> str:
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert isinstance(result.exception, SystemExit)
    return result.stderr.splitlines()[-1]


@pytest.fixture
def best(tmp_path: Path) -> Path:
    """What a search leaves: the file of its best cell."""
    options = ("--space", "darts", "--scorer", "params", "--budget", "40", "--quiet")
    result = call("run", *options, "--out", str(tmp_path / "found"))
    assert result.exit_code == 0, result.output
    return tmp_path / "found" / "best.json"


def test_the_best_cell_of_a_search_is_exported_and_built(best: Path) -> None:
    arch_id = json.loads(best.read_text())["arch_id"]
    assert call("export", str(best)).stdout == f"{arch_id}\n"
    built = json.loads(call("build", str(best), *SMALL, "--json").stdout)
    assert (built["space"], built["arch_id"]) == ("darts", arch_id)
    assert built["trained_params"] == built["params"] > 0


def test_a_genotype_is_printed_as_the_darts_code_base_reads_it() -> None:
    cell = space("darts").sample(1, seed=0)[0]
    text = space("darts").format(cell)
    printed = call("export", f"DARTS:w36:d20:{text}", "--space", "nds", "--format", "genotype")
    read = eval(printed.stdout, {"Genotype": Genotype, "range": range})
    assert space("darts").parse(printed.stdout) == cell
    assert [len(read.normal), len(read.reduce)] == [8, 8]
    assert read.normal_concat == read.reduce_concat == range(2, 6)


def test_json_holds_graph_costs_and_genotype() -> None:
    cell = space("darts").sample(1, seed=1)[0]
    text = space("darts").format(cell)
    found = json.loads(call("export", text, "--space", "darts", "--format", "json").stdout)
    assert (found["space"], found["arch_id"]) == ("darts", text)
    assert found["nodes"] == list(cell.nodes)
    assert list(zip(found["src"], found["dst"], strict=True)) == list(cell.edges)
    assert len(found["genotype"]["normal"]) == 8
    assert found["params"] > 0
    plain = json.loads(call("export", CELL, "--space", "nb201", "--format", "json").stdout)
    assert "genotype" not in plain


def test_a_space_of_ones_own_is_exported_from_its_file(tmp_path: Path) -> None:
    own = {"space": "mine", "arch_id": "a", "nodes": ["input", "mix", "output"]}
    path = tmp_path / "best.json"
    path.write_text(json.dumps({**own, "src": [0, 1], "dst": [1, 2]}))
    result = call("export", str(path), "--format", "json", "--draw", str(tmp_path / "a.svg"))
    assert json.loads(result.stdout)["nodes"] == ["input", "mix", "output"]
    assert "<!-- mix -->" in (tmp_path / "a.svg").read_text()
    assert "no network is known around a cell of 'mine'" in refused("build", str(path))


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_export_draws(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cell.{suffix}"
    assert call("export", CELL, "--space", "nb201", "--draw", str(path)).stdout == f"{CELL}\n"
    assert path.stat().st_size > 1000


def test_build_tells_size_costs_and_check() -> None:
    result = call("build", CELL, "--space", "nb201", *SMALL, "--classes", "7")
    assert result.exit_code == 0, result.output
    told = {line[:15].strip(): line[15:] for line in result.stdout.splitlines()}
    assert told["network"] == "3 cells, 8 channels first, 7 classes, images of 16 x 16"
    assert told["multiply-adds"].endswith("of convolutions and linear layers, one image")
    assert told["checked"].startswith("forward and backward; a gradient reaches")
    assert set(told) == {"cell", "network", "parameters", "multiply-adds", "checked"}


def test_build_counts_the_auxiliary_head_apart() -> None:
    text = space("darts").format(space("darts").sample(1, seed=2)[0])
    size = ("--layers", "3", "--channels", "8", "--auxiliary", "--json")
    found = json.loads(call("build", text, "--space", "darts", *size).stdout)
    assert found["auxiliary_params"] > found["params"] > 0


@pytest.mark.skipif(find_spec("onnxscript") is None, reason="needs snap-evo[onnx]")
def test_the_onnx_file_computes_what_the_network_does(tmp_path: Path) -> None:
    import onnx
    import torch
    from onnx.reference import ReferenceEvaluator
    from snap_evo.network import build_network, write_onnx

    path = tmp_path / "net.onnx"
    network = build_network("nb201", CELL, layers=3, channels=8, image=16)
    write_onnx(network, path, 16)
    images = torch.randn(5, 3, 16, 16)
    model: Any = onnx.load(path)
    onnx.checker.check_model(model)
    found: Any = ReferenceEvaluator(model).run(None, {"images": images.numpy()})
    expected = network.eval()(images).detach().numpy()
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]


def test_a_missing_extra_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.onnx"
    monkeypatch.setattr(
        "snap_evo.extras.find_spec",
        lambda package: None if package == "onnxscript" else find_spec(package),
    )
    message = refused("build", CELL, "--space", "nb201", *SMALL, "--onnx", str(path))
    assert "needs onnxscript" in message
    assert "pip install 'snap-evo[onnx]'" in message
    monkeypatch.setattr("snap_evo.extras.find_spec", lambda package: None)
    assert "snap-evo[build]" in refused("build", CELL, "--space", "nb201")
    assert not path.exists()


def test_what_is_no_best_cell_is_told(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    assert "add --space to give a cell by its string" in refused("export", CELL)
    for content in ("", "[]", "{}", '{"space": "nb201", "arch_id": "x", "nodes": 3}'):
        path.write_text(content)
        assert "best.json" in refused("build", str(path))
    edges = '"nodes": ["input", "output"], "src": [1], "dst": [0]'
    path.write_text(f'{{"space": "nb201", "arch_id": "x", {edges}}}')
    assert "topological order" in refused("export", str(path))
    assert "no NAS-Bench-201 cell" in refused("export", "x", "--space", "nb201")
    assert "unknown search space" in refused("export", CELL, "--space", "x")
    assert "has no genotype" in refused("export", CELL, "--space", "nb201", "--format", "genotype")


def test_a_place_that_cannot_be_written_is_told_before_the_work(unwritable: Path) -> None:
    arguments = ("build", CELL, "--space", "nb201", "--onnx", str(unwritable / "net.onnx"))
    assert "cannot write here" in refused(*arguments)
    assert ".svg or .png" in refused(
        "export", CELL, "--space", "nb201", "--draw", "cell.pdf", code=2
    )
