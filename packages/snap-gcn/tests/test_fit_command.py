import gzip
import itertools
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
from snap_catalog.parquet import read, write
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
    return filled(tmp_path, cells, vocabulary)


def filled(folder: Path, cells: pa.Table, vocabulary: Vocabulary) -> Path:
    """Put cells and operators into a folder."""
    write(cells, folder / "g.parquet", "graphs", producer="snap-graphs")
    write(vocabulary.table, folder / "o.parquet", "operators", producer="snap-gcn")
    return folder


def command(files: Path, *more: str) -> list[str]:
    paths = [str(files / "g.parquet"), "--operators", str(files / "o.parquet")]
    out = () if "--out" in more else ("--out", str(files / "model"))
    preset = () if "--preset" in more else ("--preset", "paper", "--schedule", "short")
    return ["fit", *paths, "--metric", "made/test/accuracy", *out, *preset, *more]


def fit(files: Path, *more: str) -> Result:
    return CliRunner().invoke(main, command(files, *more))


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, cells: pa.Table, vocabulary: Vocabulary
) -> bytes:
    """The weights of a training that nothing stopped."""
    files = filled(tmp_path_factory.mktemp("whole"), cells, vocabulary)
    result = fit(files)
    assert result.exit_code == 0, result.stderr
    return weights(files / "model")


def test_a_model_records_how_it_was_trained(files: Path) -> None:
    result = fit(files, "--preset", "snap", "--patience", "1")
    assert result.exit_code == 0, result.stderr
    training = load(files / "model").config.training
    assert all(len(member.loss) == len(member.tau) for member in training.history)
    assert len(training.history) == len(training.kept) == len(PRESETS["snap"].members)
    assert (training.patience, training.device, training.processes) == (1, "cpu", 1)
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
def test_an_absent_cuda_device_is_reported_in_one_line(files: Path) -> None:
    result = fit(files, "--device", "cuda")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "--device cuda: torch finds no CUDA device" in result.stderr


def test_a_folder_of_other_files_is_reported_before_training(files: Path) -> None:
    (files / "model").mkdir()
    (files / "model" / "thesis.tex").write_text("years of work")
    result = fit(files)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "holds 'thesis.tex', which no earlier training wrote" in result.stderr


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        (".", "is the current folder"),
        ("link", "is a symbolic link"),
        ("/proc", "is a mount point"),
    ],
)
def test_a_place_that_cannot_be_replaced_is_refused_before_training(
    files: Path, place: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    (files / "other").mkdir()
    (files / "link").symlink_to(files / "other")
    result = fit(files, "--out", place)
    assert result.exit_code == 1, result.stderr
    assert fault in result.stderr
    assert "training epochs" not in result.stderr


def test_the_catalog_s_operators_and_the_only_metric_are_the_default(files: Path) -> None:
    paper = ("--preset", "paper", "--schedule", "short")
    table = read(files / "g.parquet", "graphs").drop_columns(["made/test/loss"])
    write(table, files / "one.parquet", "graphs", producer="snap-graphs")
    out = files / "m"
    done = CliRunner().invoke(main, ["fit", str(files / "one.parquet"), "-o", str(out), *paper])
    assert done.exit_code == 0, done.stderr
    config = load(out).config
    assert config.training.metric == "made/test/accuracy"
    assert config.encoder.model == "all-MiniLM-L6-v2"
    several = CliRunner().invoke(main, ["fit", str(files / "g.parquet"), "-o", str(out), *paper])
    assert several.exit_code == 1
    assert "made/test/accuracy, made/test/loss" in several.stderr


def test_without_graphs_nas_bench_101_is_trained_on(tmp_path: Path, shared_data: Path) -> None:
    with gzip.open(shared_data / "nb101.csv.gz", "rt") as table:
        (tmp_path / "few.csv").write_text("".join(itertools.islice(table, 3_000)))
    paper = ("--preset", "paper", "--schedule", "short", "-o", str(tmp_path / "m"))
    done = CliRunner().invoke(main, ["fit", "--source", str(tmp_path / "few.csv"), *paper])
    assert done.exit_code == 0, done.stderr
    assert load(tmp_path / "m").config.training.metric == "cifar10/test/accuracy@108"


def test_without_nas_bench_101_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["fit", "-o", str(tmp_path / "m")])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "run: snap-graphs fetch nb101, or name its file with --source" in done.stderr


def test_two_processes_train_as_well_as_one(tmp_path: Path, vocabulary: Vocabulary) -> None:
    write(_drawn(6000), tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    write(vocabulary.table, tmp_path / "o.parquet", "operators", producer="snap-gcn")
    paper = ("--preset", "paper", "--schedule", "short")
    taus = []
    for seed in range(4):
        alone = fit(tmp_path, *paper, "--seed", str(seed), "--out", str(tmp_path / f"one-{seed}"))
        assert alone.exit_code == 0, alone.stderr
        taus.append(load(tmp_path / f"one-{seed}").config.training.tau)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    together = [*torchrun, "--nproc-per-node", "2", "-m", "snap_gcn", *command(tmp_path, *paper)]
    subprocess.run(together, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    model = load(tmp_path / "model")
    assert model.config.training.processes == 2
    assert model.config.command.startswith("torchrun --nproc-per-node 2 -m snap_gcn fit")
    assert abs(model.config.training.tau - np.mean(taus)) < 3 * np.std(taus, ddof=1)


def _drawn(count: int) -> pa.Table:
    """Different NAS-Bench-101 cells; the made-up accuracy grows with the share of convolutions."""
    rng, nb101 = np.random.default_rng(0), space("nb101")
    cells = {nb101.format(c): c for c in (nb101.decode(rng.random(26)) for _ in range(count))}
    convs = [sum("conv" in node for node in c.nodes) / len(c.nodes) for c in cells.values()]
    accuracy = Metric(80 + 15 * np.array(convs), "max", "percent")
    metrics = {"made/test/accuracy": accuracy}
    return graph_table("nb101", list(cells.values()), arch_ids=list(cells), metrics=metrics)
