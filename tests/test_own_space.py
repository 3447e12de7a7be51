"""From a user's own operators to a cell: a space in TOML through the tools."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import read
from snap_evo.cli import main as snap_evo
from snap_gcn.predictor import Predictor
from snap_graphs import space
from snap_graphs.cli import main as snap_graphs

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.toml"))
MOBILE = str(ROOT / "docs" / "examples" / "mobile.toml")
OPERATORS = ("mbconv_3x3", "convnext_7x7", "ghost_3x3", "self_attention")


def search(out: Path, *options: str) -> Result:
    arguments = ["run", "--space", MOBILE, "--budget", "60", "--out", str(out), *options]
    return CliRunner().invoke(snap_evo, arguments)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_space_of_its_file_s_name(example: Path) -> None:
    assert space(str(example)).name == example.stem


def test_the_example_has_operators_that_no_predictor_knows() -> None:
    known = {op for _, op in Predictor.bundled().vocabulary.rows}
    assert not known & set(OPERATORS)


def test_the_cells_of_a_space_are_sampled_and_drawn(tmp_path: Path) -> None:
    cells, picture = str(tmp_path / "cells.parquet"), tmp_path / "cell.svg"
    drawn = CliRunner().invoke(snap_graphs, ["sample", MOBILE, cells, "-n", "5"])
    assert drawn.exit_code == 0, drawn.output
    arch = read(cells, "graphs")["arch_id"][0].as_py()
    CliRunner().invoke(snap_graphs, ["draw", cells, "--arch", arch, "-o", str(picture)])
    assert picture.stat().st_size > 1000


@pytest.mark.slow
def test_one_command_leads_from_own_operators_to_a_cell_and_says_how_far_to_trust_it(
    tmp_path: Path,
) -> None:
    done = search(tmp_path)
    assert done.exit_code == 0, done.output
    (line,) = (text for text in done.stdout.splitlines() if text.startswith("trust "))
    assert "do not rely on this ranking: " in line
    assert all(name in line for name in ("self_attention", "mbconv_3x3", "convnext_7x7"))
    for told in ("novelty 0.", "disagreement of the ", "rank agreement: ", "to expect: "):
        assert told in done.stdout
    assert f"{'':15}mbconv_3x3: read as inverted residual, kernel 3x3, " in done.stdout
    best = json.loads((tmp_path / "best.json").read_text())
    assert best["space"] == "mobile"
    assert space(MOBILE).format(space(MOBILE).parse(best["arch_id"])) == best["arch_id"]
    assert best["rank"] >= 1
    assert best["trust"]["novelty"] > 0.05
    assert {each["operator"] for each in best["trust"]["readings"]} == set(OPERATORS)
    assert set(best["trust"]["agreement"]) > set(OPERATORS)
    assert set(read(tmp_path / "search.parquet", "search")["space"].to_pylist()) == {"mobile"}


def test_without_an_encoder_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_gcn.data.encoders.entry_points", lambda **_: ())
    done = search(tmp_path)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == (
        "Error: mobile: describes mbconv_3x3, convnext_7x7, ghost_3x3, "
        "self_attention, but the encoder snap-minilm is not installed; run: pip install "
        "snap-encode, or give snap-gcn predict their vectors with --operators"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_space_without_costs_says_so(tmp_path: Path) -> None:
    done = search(tmp_path, "--scorer", "params")
    assert done.exit_code == 1
    assert "mobile: the params of its cells are unknown; use another scorer" in done.stderr
