import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from click.testing import CliRunner, Result
from snap_catalog.parquet import write
from snap_gcn.cli import main
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.folder import load
from snap_gcn.model.recipe import PRESETS
from snap_gcn.training.checkpoint import Checkpoint
from snap_graphs import Metric, graph_table, space

_KILLED_WHILE_WRITING = """
import os, signal, sys
from snap_gcn.training import checkpoint
from snap_gcn.cli import main

left, write = int(sys.argv[1]), checkpoint.to_bytes

def killed(*arguments):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return write(*arguments)

checkpoint.to_bytes = killed
main(sys.argv[2:])
"""


@pytest.fixture
def files(tmp_path: Path, cells: pa.Table, vocabulary: Vocabulary) -> Path:
    write(cells, tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    write(vocabulary.table, tmp_path / "o.parquet", "operators", producer="snap-gcn")
    return tmp_path


def command(files: Path, *more: str) -> list[str]:
    paths = [str(files / "g.parquet"), "--operators", str(files / "o.parquet")]
    out = () if "--out" in more else ("--out", str(files / "model"))
    return ["fit", *paths, "--metric", "made/test/accuracy", *out, *more]


def fit(files: Path, *more: str) -> Result:
    return CliRunner().invoke(main, command(files, *more))


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture
def whole(files: Path) -> bytes:
    """The weights of a training that nothing stopped."""
    result = fit(files, "--out", str(files / "whole"))
    assert result.exit_code == 0, result.stderr
    return weights(files / "whole")


def test_a_model_tells_how_it_was_trained(files: Path) -> None:
    result = fit(files, "--patience", "1")
    assert result.exit_code == 0, result.stderr
    training = load(files / "model").config["training"]
    assert [len(member["loss"]) for member in training["history"]] == [
        len(member["tau"]) for member in training["history"]
    ]
    assert len(training["history"]) == len(training["kept"]) == len(PRESETS["snap"].members)
    assert (training["patience"], training["device"], training["processes"]) == (1, "cpu", 1)
    assert "Early stopping" in (files / "model" / "README.md").read_text()
    assert (files / "model" / "learning.svg").is_file()
    assert sorted(path.name for path in files.iterdir()) == ["g.parquet", "model", "o.parquet"]


def test_a_killed_training_goes_on_to_the_same_weights(files: Path, whole: bytes) -> None:
    script = [sys.executable, "-c", _KILLED_WHILE_WRITING, "10", *command(files)]
    killed = subprocess.run(script, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = fit(files, "--resume")
    assert resumed.exit_code == 0, resumed.stderr
    assert weights(files / "model") == whole
    assert not (files / "model.partial").exists()


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that makes Ctrl-C come before the n-th checkpoint."""
    # Where tests run in the background a shell has the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def arrange(left: int) -> None:
        save = Checkpoint.save

        def saved(self: Checkpoint, members: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                signal.raise_signal(signal.SIGINT)
            save(self, members)

        monkeypatch.setattr(Checkpoint, "save", saved)

    yield arrange
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_keeps_what_was_finished_and_says_how_to_resume(
    files: Path, whole: bytes, interrupted: Any
) -> None:
    interrupted(8)
    stopped = fit(files)
    assert stopped.exit_code == 130
    partial = files / "model.partial"
    assert stopped.stderr.splitlines()[-1] == (
        f"Stopped; {partial} holds every finished epoch: give the same command with --resume"
    )
    refused = fit(files)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    other = fit(files, "--resume", "--seed", "1")
    assert other.exit_code == 1
    assert "begun with seed 0, not 1" in other.stderr
    resumed = fit(files, "--resume")
    assert resumed.exit_code == 0, resumed.stderr
    assert weights(files / "model") == whole


def test_ctrl_c_in_the_first_epoch_leaves_nothing(files: Path, interrupted: Any) -> None:
    interrupted(1)
    stopped = fit(files)
    assert stopped.exit_code == 130
    assert stopped.stderr.splitlines()[-1] == "Stopped before the first epoch was over"
    assert sorted(path.name for path in files.iterdir()) == ["g.parquet", "o.parquet"]


def test_resume_trains_from_the_start_where_nothing_was_stopped(files: Path, whole: bytes) -> None:
    assert fit(files, "--resume").exit_code == 0
    assert weights(files / "model") == whole


def test_a_log_for_tensorboard_is_written_where_it_is_wanted(files: Path) -> None:
    result = fit(files, "--tensorboard", str(files / "log"))
    assert result.exit_code == 0, result.stderr
    assert any("tfevents" in path.name for path in (files / "log").iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_an_absent_cuda_device_is_told_in_one_line(files: Path) -> None:
    result = fit(files, "--device", "cuda")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "--device cuda: torch finds no CUDA device" in result.stderr


def test_a_folder_of_other_files_is_told_before_training(files: Path) -> None:
    (files / "model").mkdir()
    (files / "model" / "thesis.tex").write_text("years of work")
    result = fit(files)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "holds other files" in result.stderr


def test_two_processes_train_as_well_as_one(tmp_path: Path, vocabulary: Vocabulary) -> None:
    write(_drawn(6000), tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    write(vocabulary.table, tmp_path / "o.parquet", "operators", producer="snap-gcn")
    paper = ("--preset", "paper", "--schedule", "short")
    taus = []
    for seed in range(4):
        alone = fit(tmp_path, *paper, "--seed", str(seed), "--out", str(tmp_path / f"one-{seed}"))
        assert alone.exit_code == 0, alone.stderr
        taus.append(load(tmp_path / f"one-{seed}").config["training"]["tau"])
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    together = [*torchrun, "--nproc-per-node", "2", "-m", "snap_gcn", *command(tmp_path, *paper)]
    subprocess.run(together, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    model = load(tmp_path / "model")
    assert model.config["training"]["processes"] == 2
    assert model.config["command"].startswith("torchrun --nproc-per-node 2 -m snap_gcn fit")
    assert abs(model.config["training"]["tau"] - np.mean(taus)) < 3 * np.std(taus, ddof=1)


def _drawn(count: int) -> pa.Table:
    """Different NAS-Bench-101 cells; the made-up accuracy grows with the share of convolutions."""
    rng, nb101 = np.random.default_rng(0), space("nb101")
    cells = {nb101.format(c): c for c in (nb101.decode(rng.random(26)) for _ in range(count))}
    convs = [sum("conv" in node for node in c.nodes) / len(c.nodes) for c in cells.values()]
    accuracy = Metric(80 + 15 * np.array(convs), "max", "percent")
    metrics = {"made/test/accuracy": accuracy}
    return graph_table("nb101", list(cells.values()), arch_ids=list(cells), metrics=metrics)
