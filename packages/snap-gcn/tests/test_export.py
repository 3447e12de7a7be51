import pickle
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from snap_catalog import SnapError
from snap_gcn.cli import main
from snap_gcn.model import export
from snap_gcn.model.export import networks, score, to_onnx
from snap_gcn.model.folder import load, locate, member
from snap_gcn.model.network import GcnNetwork
from snap_gcn.model.recipe import BUNDLED, Recipe, grouped
from snap_gcn.model.runtime import Runtime, check_device
from snap_graphs import Graphs
from torch import Tensor

DIMENSIONS = 6
RECIPES = (Recipe(layers=2, width=4), Recipe(layers=1, width=4, readout=("sum", "output")))


@pytest.fixture(scope="module")
def file() -> bytes:
    return to_onnx(RECIPES, states(RECIPES), DIMENSIONS)


def states(recipes: tuple[Recipe, ...]) -> list[dict[str, Tensor]]:
    return [dict(GcnNetwork(recipe, DIMENSIONS).state_dict()) for recipe in recipes]


def graphs_of(size: int, count: int) -> Graphs:
    return export._random_graphs(np.random.default_rng(size), size, count, 5)


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize(("size", "count"), [(3, 20), (8, 600), (128, 2), (129, 2), (5_000, 1)])
def test_a_bundled_file_scores_as_its_weights_do(name: str, size: int, count: int) -> None:
    import torch

    model = load(locate(name))
    recipes = model.config.members
    weights = [
        {k: torch.from_numpy(v.copy()) for k, v in model.part(member(i)).items()}
        for i in range(len(recipes))
    ]
    members, groups = networks(recipes, weights, 384), grouped(recipes)
    vectors = np.random.default_rng(0).normal(0, 0.05, (5, 384)).astype(np.float32)
    graphs = graphs_of(size, count)
    runtime = Runtime(model.networks, groups, "model.onnx")
    for group, numbers in groups.items():
        expected = score([members[i] for i in numbers], vectors, graphs)
        found = runtime.score(group, graphs, graphs.op, vectors)
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, np.abs(expected).max()))


def test_small_and_large_graphs_keep_their_order(file: bytes) -> None:
    runtime = Runtime(file, grouped(RECIPES), "model.onnx")
    (group,) = grouped(RECIPES)
    vectors = np.random.default_rng(0).normal(size=(5, DIMENSIONS)).astype(np.float32)
    small, large = graphs_of(6, 3), graphs_of(200, 2)
    mixed = Graphs(
        small.vocabulary,
        np.concatenate([small.op, large.op]),
        np.concatenate([small.node_start, 18 + large.node_start[1:]]),
        np.concatenate([small.src, large.src]),
        np.concatenate([small.dst, large.dst]),
        np.concatenate([small.edge_start, len(small.src) + large.edge_start[1:]]),
    ).take(np.array([4, 0, 3, 1, 2]))
    found = runtime.score(group, mixed, mixed.op, vectors)
    apart = [runtime.score(group, part, part.op, vectors) for part in (small, large)]
    expected = np.concatenate(apart, axis=1)[:, [4, 0, 3, 1, 2]]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_file_says_nothing_of_the_machine_that_wrote_it(file: bytes) -> None:
    assert str(Path(export.__file__).parents[3]).encode() not in file
    onnx.checker.check_model(onnx.load_from_string(file))


def test_networks_can_be_sent_to_another_process(file: bytes) -> None:
    (group,) = grouped(RECIPES)
    graphs, vectors = graphs_of(5, 4), np.ones((5, DIMENSIONS), np.float32)
    here = Runtime(file, grouped(RECIPES), "model.onnx")
    scores = here.score(group, graphs, graphs.op, vectors)
    there = pickle.loads(pickle.dumps(here))
    np.testing.assert_array_equal(there.score(group, graphs, graphs.op, vectors), scores)


def test_a_file_that_scores_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "score", lambda *_: np.full((2, 1), 9.0))
    with pytest.raises(SnapError, match=r"model\.onnx: ONNX Runtime and torch differ by"):
        to_onnx(RECIPES, states(RECIPES), DIMENSIONS)


@pytest.mark.parametrize("damage", [b"", b"nonsense", bytes(100)])
def test_a_damaged_file_is_refused_in_one_line(damage: bytes) -> None:
    (group,) = grouped(RECIPES)
    graphs, vectors = graphs_of(5, 4), np.ones((5, DIMENSIONS), np.float32)
    with pytest.raises(
        SnapError, match=r"m/model\.onnx: damaged, or not of this model"
    ) as reported:
        Runtime(damage, grouped(RECIPES), "m/model.onnx").score(group, graphs, graphs.op, vectors)
    assert "\n" not in str(reported.value)


def test_a_file_of_other_members_is_refused(file: bytes) -> None:
    groups = grouped([*RECIPES, Recipe()])
    (group,) = groups
    graphs, vectors = graphs_of(5, 4), np.ones((5, DIMENSIONS), np.float32)
    with pytest.raises(SnapError, match="not of this model"):
        Runtime(file, groups, "model.onnx").score(group, graphs, graphs.op, vectors)


def test_scores_that_are_no_numbers_are_refused(file: bytes) -> None:
    (group,) = grouped(RECIPES)
    graphs, vectors = graphs_of(5, 4), np.full((5, DIMENSIONS), np.inf, np.float32)
    with pytest.raises(SnapError, match=r"model\.onnx: its scores are not finite numbers"):
        Runtime(file, grouped(RECIPES), "model.onnx").score(group, graphs, graphs.op, vectors)


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(SnapError, match="install onnxruntime-gpu"):
        check_device("cuda")


def test_the_command_copies_the_file(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["export", "paper", str(tmp_path / "m.onnx")])
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "m.onnx").read_bytes() == load(locate("paper")).networks
