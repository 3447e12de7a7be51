"""Blocks with code and a searched skeleton, from the TOML file to an ONNX file."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import read
from snap_evo.cli import main
from snap_graphs import space

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "blocks.toml"
LIMITS = ("--max-params", "40k", "--max-activations", "300k")
ARCH = "|mbconv~0|+|skip_connect~0|attention~1|@d2w24s1-d1w32s2"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def search(out: Path, *options: str) -> Result:
    arguments = ("--space", str(EXAMPLE), "--scorer", "params", "--budget", "60", "--quiet")
    return call("run", *arguments, "--out", str(out), *options)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search of the example, with limits."""
    out = tmp_path_factory.mktemp("found")
    done = search(out, *LIMITS, "--allow-code")
    assert done.exit_code == 0, done.output
    return out


def test_a_search_in_the_example_keeps_its_limits(found: Path) -> None:
    best = json.loads((found / "best.json").read_text())
    metrics = best["metrics"]
    assert metrics["params"] == best["score"] <= 40_000
    assert 0 < metrics["activations"] <= 300_000
    history = read(found / "search.parquet", "search")
    assert 0 < history["score"].null_count < history.num_rows
    assert best["space_file"] == str(EXAMPLE)


def test_the_best_network_of_the_example_is_built_as_it_was_counted(found: Path) -> None:
    best = found / "best.json"
    built = json.loads(call("build", str(best), "--allow-code", "--json").stdout)
    counted = json.loads(best.read_text())["metrics"]
    for cost in ("params", "flops", "activations"):
        assert built[cost] == counted[cost]
    assert call("export", str(best)).stdout.strip() == built["arch_id"]


@pytest.mark.skipif(find_spec("onnxscript") is None, reason="needs snap-evo[build]")
def test_a_network_of_the_example_is_exported_to_onnx(tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "net.onnx"
    arguments = ("--space", str(EXAMPLE), "--allow-code", "--onnx", str(path), "--quiet")
    done = call("build", ARCH, *arguments)
    assert done.exit_code == 0, done.output
    model = onnx.load(path)
    onnx.checker.check_model(model)
    assert [output.name for output in model.graph.output] == ["logits"]


def test_without_permission_no_code_runs_and_a_line_says_so(
    found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*arguments: object) -> None:
        raise AssertionError("code was imported")

    monkeypatch.setattr("snap_graphs.torch.build.own_blocks._import_file", forbidden)
    note = (
        "names code (blocks.py:InvertedResidual, blocks.py:PixelAttention), which is not imported"
    )
    for arguments in (
        ("build", str(found / "best.json")),
        ("build", ARCH, "--space", str(EXAMPLE)),
    ):
        refused = call(*arguments)
        assert refused.exit_code == 1
        assert note in refused.stderr
        assert "add --allow-code" in refused.stderr
    refused = search(tmp_path / "a", *LIMITS)
    assert refused.exit_code == 1
    assert "the params of its cells are unknown" in refused.stderr
    resumed = call("resume", str(found), "--budget", "70")
    assert resumed.exit_code == 1
    assert note in resumed.stderr
    assert "the params of its cells are unknown" in resumed.stderr


def test_a_search_without_costs_needs_no_code(tmp_path: Path) -> None:
    program = tmp_path / "score.py"
    program.write_text(
        "import sys, pyarrow as pa, pyarrow.parquet as pq\n"
        "graphs = pq.read_table(sys.argv[1])\n"
        "lengths = pa.array([float(len(n)) for n in graphs['nodes'].to_pylist()])\n"
        "keys = graphs.select(['space', 'arch_id'])\n"
        "pq.write_table(keys.append_column('score', lengths), sys.argv[2])\n"
    )
    command = f"command:{sys.executable} {program} {{input}} {{output}}"
    out = tmp_path / "found"
    arguments = ("--space", str(EXAMPLE), "--scorer", command, "--budget", "20", "--out", str(out))
    done = call("run", *arguments)
    assert done.exit_code == 0, done.output
    assert "which is not imported; add --allow-code" in done.stderr
    best = json.loads((out / "best.json").read_text())
    assert len(best["nodes"]) == best["score"]
    assert best["metrics"]["params"] is None


def test_a_search_goes_on_with_its_code_where_that_is_allowed_again(
    found: Path, tmp_path: Path
) -> None:
    for file in found.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    done = call("resume", str(tmp_path), "--budget", "80", "--allow-code", "--quiet")
    assert done.exit_code == 0, done.output
    assert read(tmp_path / "search.parquet", "search").num_rows == 80


def test_a_history_cannot_allow_its_own_code(found: Path, tmp_path: Path) -> None:
    history = pq.read_table(found / "search.parquet")
    entries = dict(history.schema.metadata)
    plan = json.loads(entries[b"snap.plan"])
    assert "allow_code" not in plan
    entries[b"snap.plan"] = json.dumps({**plan, "allow_code": True}).encode()
    pq.write_table(history.replace_schema_metadata(entries), tmp_path / "search.parquet")
    refused = call("resume", str(tmp_path), "--budget", "70", "--quiet")
    assert refused.exit_code == 1
    assert "describes no search of this version" in refused.stderr


def test_the_macro_networks_of_transnas_are_searched_within_limits(tmp_path: Path) -> None:
    arguments = ("--space", "transnas-macro", "--scorer", "params", "--max-flops", "600M")
    done = call(
        "run", *arguments, "--max-activations", "3M", "--budget", "200", "--out", str(tmp_path)
    )
    assert done.exit_code == 0, done.output
    metrics = json.loads((tmp_path / "best.json").read_text())["metrics"]
    assert metrics["activations"] <= 3e6
    assert metrics["flops"] <= 6e8


def test_an_example_is_a_space_whose_operators_are_all_used() -> None:
    home = space(str(EXAMPLE))
    assert home.parse(ARCH).nodes.count("attention") == 3
