"""`snap-evo train`, and what it is made of."""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner, Result
from snap_catalog import SnapError
from snap_evo.architecture import Architecture, read_architecture
from snap_evo.cli import main
from snap_graphs import space

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import load_file  # noqa: E402
from snap_evo.training.checkpoint import State, load_state, read_content, save_state  # noqa: E402
from snap_evo.training.job import Job  # noqa: E402
from snap_evo.training.recipe import Recipe, recipe_for  # noqa: E402
from snap_graphs.torch.build import build_network  # noqa: E402

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|"
SMALL = ("--space", "nb201", "--layers", "3", "--channels", "8", "--device", "cpu", "--quiet")
START = "import sys; from snap_evo.cli import main; sys.exit(main())"


def images(count: int, seed: int, side: int = 8) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Draw noise with a bright half: the upper one is class 0, the lower one class 1."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    found = random.integers(0, 100, (count, side, side), dtype=np.uint8)
    for image, label in zip(found, labels, strict=True):
        image[side // 2 * label : side // 2 * (label + 1)] += 150
    return found, labels


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "halves.npz"
    (train, train_labels), (valid, valid_labels) = images(64, 0), images(40, 1)
    np.savez(
        path,
        train_images=train,
        train_labels=train_labels,
        valid_images=valid,
        valid_labels=valid_labels,
    )
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def train(data: Path, out: Path, *options: str) -> Result:
    settings = ("--epochs", "3", "--augment", "none", *options)
    return call("train", CELL, *SMALL, "--data", data, "--out", out, *settings)


def job(data: Path, seed: int = 0, **settings: Any) -> Job:
    architecture = read_architecture(CELL, "nb201")
    small = {"epochs": 3, "augment": ("crop", "flip", "cutout"), **settings}
    return Job.of(architecture, str(data), small, layers=3, channels=8, seed=seed, device="cpu")


def run(asked: Job, state: State | None = None) -> State:
    return asked.train(state or State(), lambda state: None, quiet=True)


def same(one: State, other: State) -> bool:
    tensors = [
        (one.network, other.network),
        (one.optimiser, other.optimiser),
        (one.best, other.best),
    ]
    return all(
        a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
        for a, b in tensors
    )


def test_training_learns_what_can_be_learnt(data: Path, tmp_path: Path) -> None:
    done = train(data, tmp_path, "--epochs", "6")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["accuracy"] > 90
    assert (result["space"], result["arch_id"], result["epochs"]) == ("nb201", CELL, 6)
    assert result["seconds"] > 0
    with (tmp_path / "curve.csv").open(newline="") as file:
        epochs = list(csv.DictReader(file))
    assert [row["epoch"] for row in epochs] == [str(number) for number in range(1, 7)]
    assert float(epochs[-1]["train_loss"]) < float(epochs[0]["train_loss"])
    assert result["accuracy"] == max(float(row["valid_accuracy"]) for row in epochs)
    assert (tmp_path / "curve.svg").read_text().startswith("<?xml")


def test_the_weights_fit_a_network_built_alike_and_give_the_accuracy_stated(
    data: Path, tmp_path: Path
) -> None:
    result = json.loads(train(data, tmp_path).stdout)
    facts = read_content(tmp_path / "weights.safetensors")
    names = ("layers", "channels", "classes", "image")
    network = build_network(facts["space"], facts["arch_id"], **{n: facts[n] for n in names})
    network.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    pixels, labels = images(40, 1)
    mean, deviation = (torch.tensor(facts[n])[:, None, None] for n in ("mean", "deviation"))
    grey = torch.from_numpy(pixels)[:, None].expand(-1, 3, -1, -1).float()
    with torch.no_grad():
        logits = network.eval()((grey - mean) / deviation)
    right = (logits.argmax(1).numpy() == labels).mean()
    assert 100 * right == pytest.approx(result["accuracy"])


def test_the_auxiliary_head_trains_along_and_is_left_out_of_the_weights(tmp_path: Path) -> None:
    (pixels, labels), data = images(4, 0, side=32), tmp_path / "data.npz"
    np.savez(data, images=np.repeat(pixels, 2, 0), labels=np.repeat(labels, 2))
    darts = space("darts")
    (cell,) = darts.sample(1, seed=0)
    size = ("--layers", "3", "--channels", "8", "--epochs", "1", "--device", "cpu", "--quiet")
    done = call(
        "train",
        darts.format(cell),
        "--space",
        "darts",
        "--data",
        data,
        "--out",
        tmp_path,
        *size,
    )
    assert done.exit_code == 0, done.output
    trained = load_file(tmp_path / "checkpoint.safetensors")
    assert any(name.startswith("network.auxiliary.") for name in trained)
    assert not any("auxiliary" in name for name in load_file(tmp_path / "weights.safetensors"))


def test_equal_arguments_give_equal_weights_and_another_seed_others(data: Path) -> None:
    first = run(job(data))
    assert same(first, run(job(data)))
    assert not same(first, run(job(data, seed=1)))


@pytest.mark.parametrize("optimiser", ["sgd", "nesterov", "rmsprop"])
def test_a_training_that_goes_on_from_its_file_ends_as_one_that_was_not_stopped(
    data: Path, tmp_path: Path, optimiser: str
) -> None:
    asked, path = job(data, optimiser=optimiser), tmp_path / "checkpoint.safetensors"
    kept: list[State] = []

    def keep(state: State) -> None:
        kept.append(state)
        if len(kept) == 2:
            save_state(path, asked.facts, state)

    whole = asked.train(State(), keep, quiet=True)
    begun = load_state(path, asked.facts)
    assert len(begun.epochs) == 2
    resumed = run(asked, begun)
    assert same(whole, resumed)
    accuracies = [[epoch.valid_accuracy for epoch in s.epochs] for s in (whole, resumed)]
    assert accuracies[0] == accuracies[1]


def test_a_killed_training_is_gone_on_with_to_the_same_end(
    data: Path, tmp_path: Path, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    out = tmp_path / "killed"
    assert train(data, tmp_path / "whole").exit_code == 0
    arguments = ("train", CELL, *SMALL, "--data", data, "--out", out, "--augment", "none")
    command = [sys.executable, "-c", START, *map(str, arguments), "--epochs", "3"]
    process = start(command, until=(out / "checkpoint.safetensors").exists)
    process.kill()
    process.wait()
    refused = train(data, out)
    epochs = len(read_content(out / "checkpoint.safetensors")["epochs"])
    if epochs < 3:
        assert refused.exit_code == 1
        assert "add --resume" in refused.stderr
    done = train(data, out, "--resume")
    assert done.exit_code == 0, done.output
    ends = [load_file(tmp_path / name / "weights.safetensors") for name in ("killed", "whole")]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[1])


def test_ctrl_c_keeps_what_was_trained_and_says_how_to_go_on(
    data: Path, tmp_path: Path, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    arguments = ("train", CELL, *SMALL, "--data", data, "--out", tmp_path, "--epochs", "100000")
    command = [sys.executable, "-c", START, *map(str, arguments)]
    process = start(command, until=(tmp_path / "checkpoint.safetensors").exists)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "run the same command with --resume" in said
    assert "Traceback" not in said
    assert read_content(tmp_path / "checkpoint.safetensors")["epochs"]


def test_another_training_is_not_gone_on_with(data: Path, tmp_path: Path) -> None:
    asked = job(data)
    save_state(tmp_path / "checkpoint.safetensors", asked.facts, run(asked))
    with pytest.raises(SnapError, match="begun with seed 0, not 1; give the same"):
        load_state(tmp_path / "checkpoint.safetensors", job(data, seed=1).facts)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_checkpoint_is_refused_and_kept(
    data: Path, tmp_path: Path, damage: bytes
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(damage)
    refused = train(data, tmp_path, "--resume")
    assert refused.exit_code == 1
    assert str(path) in refused.stderr
    assert path.read_bytes() == damage


@pytest.mark.parametrize("changed", [{"valid_accuracy": "high"}, {"seconds": None}])
def test_figures_of_an_epoch_that_are_no_numbers_are_a_damage(
    data: Path, tmp_path: Path, changed: dict[str, Any]
) -> None:
    asked, path = job(data), tmp_path / "checkpoint.safetensors"
    state = run(asked)
    epochs = [epoch._replace(**changed) for epoch in state.epochs]
    save_state(path, asked.facts, State(epochs, state.network, state.optimiser, state.best))
    with pytest.raises(SnapError, match="damaged"):
        load_state(path, asked.facts)


@pytest.mark.parametrize("options", [(), ("--resume",)])
def test_more_epochs_than_the_training_has_are_a_damage(
    data: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    assert train(data, tmp_path).exit_code == 0
    path = tmp_path / "checkpoint.safetensors"
    content = read_content(path)
    state = load_state(path, content["run"])
    more = [*state.epochs, state.epochs[-1]._replace(epoch=4)]
    save_state(path, content["run"], State(more, state.network, state.optimiser, state.best))
    refused = train(data, tmp_path, *options)
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"Error: {path}: damaged (4 epochs of a training of 3); remove it to start over\n"
    )


def test_tensors_of_another_network_are_refused(data: Path) -> None:
    asked = job(data)
    state = run(asked)
    other = State(state.epochs[:1], {"x": torch.zeros(1)}, state.optimiser, state.best)
    with pytest.raises(SnapError, match="the checkpoint does not fit the network"):
        run(asked, other)


def test_weights_in_place_of_a_checkpoint_are_refused(data: Path, tmp_path: Path) -> None:
    assert train(data, tmp_path).exit_code == 0
    (tmp_path / "weights.safetensors").replace(tmp_path / "checkpoint.safetensors")
    for options in ((), ("--resume",)):
        refused = train(data, tmp_path, *options)
        assert refused.exit_code == 1
        assert "checkpoint.safetensors: damaged" in refused.stderr


def test_files_of_others_are_not_replaced(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"mine")
    refused = train(data, tmp_path)
    assert refused.exit_code == 1
    assert "exists and is of another kind" in refused.stderr
    assert path.read_bytes() == b"mine"


def test_a_loss_that_grows_without_bound_ends_the_training(data: Path) -> None:
    with pytest.raises(SnapError, match="lower the learning rate"):
        run(job(data, learning_rate=1e20))


def test_a_space_without_settings_of_its_own_takes_those_of_nas_bench_201() -> None:
    own, darts = space("transnas-micro"), space("darts")
    assert recipe_for(own, 32, 50_000) == recipe_for(space("nb201"), 32, 50_000)
    assert recipe_for(darts, 32, 50_000).epochs == 600
    assert recipe_for(darts, 224, 10**6).decay == 0.97
    assert recipe_for(own, 8, 500).batch_size == 31
    assert recipe_for(own, 8, 3).batch_size == 2


def test_the_learning_rate_falls_as_a_cosine_or_by_a_factor() -> None:
    assert [Recipe(2, 8, 0.1).rate(epoch) for epoch in (0, 1)] == pytest.approx([0.1, 0.05])
    assert Recipe(9, 8, 0.1, decay=0.5).rate(2) == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--augment", "rotate"), "'rotate' is none of crop, flip, cutout"),
        (("--learning-rate", "nan"), "not a finite number"),
        (("--epochs", "0"), "not in the range"),
        (("--batch-size", "1"), "not in the range"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    data: Path, tmp_path: Path, options: tuple[str, str], problem: str
) -> None:
    refused = train(data, tmp_path, *options)
    assert refused.exit_code == 2
    assert problem in refused.stderr


def test_an_architecture_without_a_known_network_is_refused(data: Path) -> None:
    own = Architecture("unknown", "x", read_architecture(CELL, "nb201").cell, None)
    with pytest.raises(SnapError, match="no network is known"):
        Job.of(own, str(data), {})
