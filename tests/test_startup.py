"""What only uses a predictor loads neither torch nor pandas, though both are installed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

_IMPORTS = "import snap_gcn, snap_evo, snap_eval, snap_graphs"
_COMMAND = """
import importlib
main = importlib.import_module("{tool}.cli").main
main({arguments!r}, standalone_mode=False)
"""


def loaded(code: str, folder: Path) -> set[str]:
    """Return the heavy modules that are there after some code."""
    code += "\nimport sys; print('loaded', *{'torch', 'pandas'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def run(tool: str, *arguments: str) -> str:
    return _COMMAND.format(tool=tool, arguments=list(arguments))


def test_both_are_installed_here() -> None:
    assert all(importlib.util.find_spec(name) for name in ("torch", "pandas"))


def test_importing_the_packages_loads_neither(tmp_path: Path) -> None:
    assert loaded(_IMPORTS, tmp_path) == set()


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("startup")
    assert loaded(run("snap_graphs", "convert", "nb201", "nb201.parquet"), folder) == set()
    return folder


def test_converting_predicting_and_correlating_load_neither(graphs: Path) -> None:
    predict = run("snap_gcn", "predict", "nb201.parquet")
    correlate = ["--scores", "scores.parquet", "--graphs", "nb201.parquet", "--bootstrap", "0"]
    metric = ["--metric", "cifar10/test/baseline_accuracy", "-o", "c.parquet"]
    assert loaded(predict, graphs) == set()
    assert loaded(run("snap_eval", "correlate", *correlate, *metric), graphs) == set()


def test_searching_loads_neither(tmp_path: Path) -> None:
    assert loaded(run("snap_evo", "run", "--budget", "50"), tmp_path) == set()
