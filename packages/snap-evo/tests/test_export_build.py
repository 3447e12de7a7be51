"""`snap-evo export` and `snap-evo build`."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_evo.cli import main
from snap_graphs import space
from snap_graphs.spaces import defined_space
from snap_graphs.spaces.genotypes import Genotype

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"
OWN = """
name = "mine"
nodes = 3
edges = "all"
[operators]
conv = "Convolution 3x3"
pool = "Max pooling"
"""
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
    assert ">mix</text>" in (tmp_path / "a.svg").read_text()
    assert "no network is known around a cell of 'mine'" in refused("build", str(path))


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_export_draws(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cell.{suffix}"
    assert call("export", CELL, "--space", "nb201", "--draw", str(path)).stdout == f"{CELL}\n"
    assert path.stat().st_size > 1000


def test_build_reports_size_costs_and_check() -> None:
    result = call("build", CELL, "--space", "nb201", *SMALL, "--classes", "7")
    assert result.exit_code == 0, result.output
    printed = {line[:15].strip(): line[15:] for line in result.stdout.splitlines()}
    assert printed["network"] == "3 cells, 8 initial channels, 7 classes, images of 16 x 16"
    assert printed["multiply-adds"].endswith("of convolutions and linear layers, for one image")
    assert printed["checked"].startswith("forward and backward; a gradient reaches")
    assert set(printed) == {
        "cell",
        "network",
        "parameters",
        "multiply-adds",
        "activations",
        "checked",
    }


def test_build_reports_one_cell_in_the_singular() -> None:
    digits = Path(__file__).parents[3] / "docs" / "examples" / "digits.toml"
    cell = "|conv_3x3~0|+|separable_5x5~0|conv_3x3~1|"
    result = call("build", cell, "--space", str(digits), "--allow-code")
    assert result.exit_code == 0, result.output
    assert "network        1 cell, " in result.stdout


def test_build_counts_the_auxiliary_head_apart() -> None:
    text = space("darts").format(space("darts").sample(1, seed=2)[0])
    size = ("--layers", "3", "--channels", "8", "--auxiliary", "--json")
    found = json.loads(call("build", text, "--space", "darts", *size).stdout)
    assert found["auxiliary_params"] > found["params"] > 0


@pytest.mark.skipif(find_spec("onnxscript") is None, reason="needs snap-evo[build]")
def test_the_onnx_file_computes_what_the_network_does(tmp_path: Path) -> None:
    import onnx
    import torch
    from onnx.reference import ReferenceEvaluator
    from snap_evo.onnx import write_onnx
    from snap_graphs.torch.build import build_network

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


def test_a_missing_extra_is_reported_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.onnx"
    monkeypatch.setattr(
        "snap_catalog.extras.find_spec",
        lambda package: None if package == "onnxscript" else find_spec(package),
    )
    message = refused("build", CELL, "--space", "nb201", *SMALL, "--onnx", str(path))
    assert "onnxscript is required but not installed" in message
    assert "pip install 'snap-evo[build]'" in message
    monkeypatch.setattr("snap_catalog.extras.find_spec", lambda package: None)
    assert "snap-evo[build]" in refused("build", CELL, "--space", "nb201")
    assert not path.exists()


def test_what_is_no_best_cell_is_told(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    assert "add --space to give the string of a cell" in refused("export", CELL)
    for content in ("", "[]", "{}", '{"space": "nb201", "arch_id": "x", "nodes": 3}'):
        path.write_text(content)
        assert "best.json" in refused("build", str(path))
    edges = '"nodes": ["input", "output"], "src": [1], "dst": [0]'
    path.write_text(f'{{"space": "nb201", "arch_id": "x", {edges}}}')
    assert "topological order" in refused("export", str(path))
    assert "not a NAS-Bench-201 cell" in refused("export", "x", "--space", "nb201")
    assert "unknown search space" in refused("export", CELL, "--space", "x")
    assert "has no genotype" in refused("export", CELL, "--space", "nb201", "--format", "genotype")


def test_a_place_that_cannot_be_written_is_reported_before_the_work(unwritable: Path) -> None:
    arguments = ("build", CELL, "--space", "nb201", "--onnx", str(unwritable / "net.onnx"))
    assert "cannot write here" in refused(*arguments)
    assert ".svg or .png" in refused(
        "export", CELL, "--space", "nb201", "--draw", "cell.pdf", code=2
    )


SPACES = ("nb101", "nb201", "darts", "nds", "transnas-micro", "transnas-macro", "natss", "fbnet")


@pytest.fixture
def read_best(tmp_path: Path) -> Callable[[object], Result]:
    """A function that exports what some JSON, or text, in the place of `best.json` holds."""

    def read(content: object) -> Result:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "best.json").write_text(text)
        return call("export", str(tmp_path / "best.json"), "--format", "json")

    return read


def entries(name: str) -> dict[str, Any]:
    """Return what `best.json` holds of a random cell of a space."""
    (cell,) = space(name).sample(1, seed=3)
    src, dst = zip(*cell.edges, strict=True)
    graph = {"nodes": list(cell.nodes), "src": list(src), "dst": list(dst)}
    return {"space": name, "arch_id": space(name).format(cell), **graph, "score": 1.0}


@pytest.mark.parametrize("name", SPACES)
def test_a_cell_of_any_space_is_read_back(name: str, read_best: Callable[[object], Result]) -> None:
    found = entries(name)
    result = read_best(found)
    assert result.exit_code == 0, result.output
    del found["score"]
    exported = json.loads(result.stdout)
    assert {key: exported[key] for key in found} == found


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), name=st.sampled_from(SPACES))
def test_a_damaged_best_json_is_one_line_that_names_the_file(
    read_best: Callable[[object], Result], data: st.DataObject, name: str
) -> None:
    found = entries(name)
    key = data.draw(st.sampled_from(["space", "arch_id", "nodes", "src", "dst"]))
    inside = isinstance(found[key], list) and data.draw(st.booleans())
    before = found[key]
    if inside:
        place = data.draw(st.integers(0, len(before) - 1))
        found[key] = [*before[:place], data.draw(JUNK), *before[place + 1 :]]
    else:
        found[key] = data.draw(JUNK)
    result = read_best(found)
    harmless = found[key] == before and type(found[key]) is type(before)
    if harmless or (key == "space" and isinstance(found[key], str)):  # of one's own, maybe
        return
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert "best.json" in line


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no readable best.json"),
        ("[" * 100_000, "no best.json (Expected `object`"),
        ("[]", "no best.json (Expected `object`, got `array`)"),
        ("{}", "no best.json (Object missing required field `space`)"),
        ('{"space": ' + "9" * 5000 + "}", "no best.json (Number out of range - at `$.space`)"),
        (" " * 2**20 + "{}", "no readable best.json"),
    ],
    ids=lambda text: text[:20].strip(),
)
def test_what_is_no_best_json_is_one_line(
    read_best: Callable[[object], Result], content: str, problem: str
) -> None:
    result = read_best(content)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert problem in result.stderr


def test_a_string_next_to_another_graph_is_refused(
    read_best: Callable[[object], Result],
) -> None:
    found = entries("nb201")
    result = read_best({**found, "arch_id": CELL})
    assert result.exit_code == 1
    assert f"its nodes, src and dst are not the cell {CELL} of nb201" in result.stderr


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        (OWN, ""),
        (OWN.replace("mine", "other"), "are not the cell |conv~0|+|conv~0|pool~1| of mine"),
        (OWN.replace("conv", "dw"), "is not a cell of mine (unknown operator 'conv')"),
        ("name = ", "best.json: not TOML"),
        (7, "Expected `str | null`, got `int` - at `$.space_definition`"),
    ],
)
def test_the_graph_of_a_space_of_ones_own_is_checked_by_its_definition(
    read_best: Callable[[object], Result], definition: object, problem: str
) -> None:
    arch_id = "|conv~0|+|conv~0|pool~1|"
    cell = defined_space(OWN, "mine.toml").parse(arch_id)
    src, dst = zip(*cell.edges, strict=True)
    found = {"space": "mine", "arch_id": arch_id, "nodes": cell.nodes, "src": src, "dst": dst}
    result = read_best({**found, "space_definition": definition})
    assert result.exit_code == bool(problem), result.output
    assert problem in result.stderr
