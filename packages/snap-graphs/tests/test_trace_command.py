"""`snap-graphs trace`."""

import sys
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT
from subprocess import Popen

import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import read
from snap_graphs.cli import main

NETWORKS = """
import torch
from torch import nn

class Deciding(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x

def block(width):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU())

def one():
    return block(4)

def several():
    for width in (4, 8, 16):
        yield f"width{width}", block(width), (3, 9, 9)

def some_bad():
    yield "good", block(4)
    yield "deciding", Deciding()
    yield "good", block(8)
    yield "narrow", nn.Linear(2, 2)
    yield "last", block(2)

def all_bad():
    yield "deciding", Deciding()

class Unprintable(nn.ReLU):
    def __repr__(self):
        raise ValueError("no words")

class Exiting(nn.Module):
    def forward(self, x):
        raise SystemExit(3)

def hostile():
    yield "unprintable", Unprintable()
    yield "lazy", nn.LazyConv2d(4, 3)
    yield "exiting", Exiting()
    yield "good", block(4)

def failing():
    yield "first", block(4)
    raise RuntimeError("no more")

def endless():
    yield "first", block(4)
    while True:
        pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nets.py").write_text(NETWORKS)
    return tmp_path


def trace(folder: Path, function: str, *options: str) -> Result:
    arguments = ["trace", f"{folder / 'nets.py'}:{function}", str(folder / "out.parquet")]
    return CliRunner().invoke(main, [*arguments, *options])


def names(folder: Path) -> list[str]:
    table = read(folder / "out.parquet", "graphs")
    found: list[str] = table["arch_id"].to_pylist()
    return found


def test_a_network_is_a_row_with_its_costs(folder: Path) -> None:
    result = trace(folder, "one", "--input", "3x9x9")
    assert (result.exit_code, result.stdout) == (0, "")
    (row,) = read(folder / "out.parquet", "graphs").to_pylist()
    assert (row["space"], row["arch_id"]) == ("nets", "one")
    assert row["nodes"] == ["input", "conv3x3-bn-relu", "output"]
    assert (row["params"], row["flops"], row["activations"]) == (120, 108 * 49, 4 * 49)
    assert row["node_shape"] == [[3, 9, 9], [4, 7, 7], [4, 7, 7]]
    assert (row["node_params"], row["node_flops"]) == ([0, 120, 0], [0, 108 * 49, 0])
    assert not (folder / "out.parquet.partial").exists()


def test_shapes_may_come_from_the_source_and_the_space_from_the_command(folder: Path) -> None:
    result = trace(folder, "several", "--space", "widths", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    table = read(folder / "out.parquet", "graphs")
    assert table["arch_id"].to_pylist() == ["width4", "width8", "width16"]
    assert table["space"].unique().to_pylist() == ["widths"]


def test_a_network_that_cannot_be_traced_ends_the_command_and_the_others_are_kept(
    folder: Path,
) -> None:
    result = trace(folder, "some_bad", "--input", "3x9x9")
    assert (result.exit_code, result.stdout) == (1, "")
    kept, error = result.stderr.splitlines()[-2:]
    assert "out.parquet.partial: keeps 1 network; run the same command to resume" in kept
    assert error.startswith("Error: deciding: torch.export cannot follow it")
    assert "--skip-bad leaves it out" in error
    assert not (folder / "out.parquet").exists()


def test_bad_networks_are_left_out_where_that_is_wanted(folder: Path) -> None:
    trace(folder, "some_bad", "--input", "3x9x9")
    result = trace(folder, "some_bad", "--input", "3x9x9", "--skip-bad", "--quiet")
    assert result.exit_code == 0
    deciding, twice, narrow = result.stderr.splitlines()
    assert "let its forward depend on shapes" in deciding
    assert twice == "good: is the name of two networks; give each its own"
    assert narrow.startswith("narrow: torch.export cannot follow it (RuntimeError: ")
    assert names(folder) == ["good", "last"]


def test_whatever_a_module_does_when_looked_at_is_one_line_of_that_module(folder: Path) -> None:
    result = trace(folder, "hostile", "--input", "3x9x9", "--skip-bad", "--quiet")
    unprintable, lazy, exiting = result.stderr.splitlines()
    assert unprintable.startswith("unprintable: torch.export cannot follow it (ValueError: no")
    assert "give its lazy layers their sizes" in lazy
    assert exiting.startswith("exiting: torch.export cannot follow it (SystemExit: 3)")
    assert names(folder) == ["good"]


@pytest.mark.parametrize("space", ["nb201", "two\nlines"])
def test_a_space_that_cannot_be_is_refused_before_anything_is_traced(
    folder: Path, space: str
) -> None:
    result = trace(folder, "several", "--space", space)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "name" in result.stderr
    assert "with --space" in result.stderr
    assert sorted(path.name for path in folder.glob("out*")) == []


def test_nothing_is_written_where_no_network_could_be_traced(folder: Path) -> None:
    result = trace(folder, "all_bad", "--input", "3x9x9", "--skip-bad")
    assert result.exit_code == 1
    assert "none of its networks could be traced" in result.stderr.splitlines()[-1]
    assert sorted(path.name for path in folder.glob("out*")) == []


def test_a_shape_must_come_from_somewhere(folder: Path) -> None:
    result = trace(folder, "one")
    assert result.exit_code == 1
    assert "the shape of its input is not known; give it, as --input 3x224x224" in result.stderr


def test_the_networks_before_a_failure_of_the_source_are_resumed(folder: Path) -> None:
    result = trace(folder, "failing", "--input", "3x9x9")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 2)
    assert "raised RuntimeError: no more; correct it" in result.stderr
    text = NETWORKS.replace("""    raise RuntimeError("no more")\n""", "")
    (folder / "nets.py").write_text(text)
    result = trace(folder, "failing", "--input", "3x9x9")
    assert "out.parquet: 1 network, 1 from an interrupted run" in result.stderr


def test_a_network_that_changed_is_traced_again(folder: Path) -> None:
    trace(folder, "failing", "--input", "3x9x9")
    text = NETWORKS.replace("""    raise RuntimeError("no more")\n""", "")
    (folder / "nets.py").write_text(text.replace("nn.ReLU()", "nn.SiLU()"))
    result = trace(folder, "failing", "--input", "3x9x9")
    assert "from an interrupted run" not in result.stderr
    (row,) = read(folder / "out.parquet", "graphs").to_pylist()
    assert row["nodes"][1] == "conv3x3-bn-silu"


@pytest.mark.parametrize("damage", ["{", '{"key": "a", "network": {}}', '{"key": 3}', "[]", "\0"])
def test_a_line_that_was_cut_off_is_as_none(folder: Path, damage: str) -> None:
    trace(folder, "failing", "--input", "3x9x9")
    partial = folder / "out.parquet.partial"
    with partial.open("a") as file:
        file.write(damage)
    trace(folder, "failing", "--input", "3x9x9")
    assert partial.read_text().count("\n") == 2


def test_a_file_of_others_is_not_replaced(folder: Path) -> None:
    partial = folder / "out.parquet.partial"
    partial.write_text("my notes")
    result = trace(folder, "one", "--input", "3x9x9")
    assert (result.exit_code, partial.read_text()) == (1, "my notes")
    assert "exists and is of another kind" in result.stderr


def test_ctrl_c_in_the_source_keeps_what_was_traced(
    folder: Path, start: Callable[..., Popen[str]]
) -> None:
    command = [sys.executable, "-c", "from snap_graphs.cli import main; main()", "trace"]
    arguments = [f"{folder / 'nets.py'}:endless", str(folder / "out.parquet"), "--input", "3x9x9"]
    partial = folder / "out.parquet.partial"
    process = start(
        [*command, *arguments],
        lambda: partial.exists() and partial.read_text().count("\n") == 2,
    )
    process.send_signal(SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "keeps 1 network; run the same command to resume" in stderr
    assert "Traceback" not in stderr


def test_the_help_says_that_code_is_run() -> None:
    shown = CliRunner().invoke(main, ["trace", "--help"]).stdout
    assert "This runs the code of SOURCE" in " ".join(shown.split())
