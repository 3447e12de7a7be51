"""The demonstration with scikit-learn's digits, in `tools/measure/digits.py`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from snap_graphs import space

from tools.measure.digits import SPACE, TRAININGS, Search, at_random, evolution

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("search", [at_random, evolution])
def test_the_searches_that_are_compared_train_equally_many_architectures(
    search: Search,
) -> None:
    home = space(str(SPACE))
    names = [home.format(cell) for cell in home.enumerate()]
    accuracies = {name: float(name.count("conv_3x3")) for name in names}
    runs = [{*search(home, accuracies, seed)} for seed in range(3)]
    assert [len(run) for run in runs] == [TRAININGS] * 3
    assert runs[0] != runs[1]
    assert all(run <= accuracies.keys() for run in runs)


def test_evolution_gets_better_where_neighbours_are_alike() -> None:
    home = space(str(SPACE))
    accuracies = {n: float(n.count("3x3")) for n in map(home.format, home.enumerate())}
    runs = [[accuracies[name] for name in evolution(home, accuracies, s)] for s in range(10)]
    assert np.mean([run[12:] for run in runs]) > np.mean([run[:12] for run in runs])


def test_the_data_have_all_images_once_and_are_split_by_class(tmp_path: Path) -> None:
    path = tmp_path / "digits.npz"
    script = ROOT / "docs" / "examples" / "digits_data.py"
    subprocess.run([sys.executable, script, path], check=True)
    with np.load(path) as data:
        assert np.bincount(data["train_labels"]).tolist() == [50] * 10
        assert len(data["train_labels"]) + len(data["valid_labels"]) == 1797
        assert data["train_images"].shape == (500, 8, 8)
        assert data["valid_images"].max() == 1
