"""Each package installs alone, works, and brings no sibling that it does not need."""

import json
import math
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pyarrow as pa
import pytest
from snap_catalog.parquet import write

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
FOLDERS = {p.name: p for p in (ROOT / "packages").iterdir()} | {
    "snap-catalog": ROOT / "data-catalog"
}
SIBLINGS = {
    "snap-catalog": {"snap-catalog"},
    "snap-graphs": {"snap-graphs", "snap-catalog"},
    "snap-encode": {"snap-encode", "snap-catalog"},
    "snap-gcn": {"snap-gcn", "snap-graphs", "snap-catalog"},
    "snap-evo": {"snap-evo", "snap-graphs", "snap-catalog"},
    "snap-eval": {"snap-eval", "snap-catalog"},
}
WORK = {
    "snap-graphs": "snap-graphs convert nb101 graphs.parquet --source cells.csv",
    "snap-encode": "snap-encode ops.txt",
    "snap-gcn": "snap-gcn predict cells.parquet",
    "snap-evo": "snap-evo run --space nb201 --scorer params --budget 20",
    "snap-eval": "snap-eval correlate --scores scores.parquet --graphs cells.parquet",
}
"""Something real that each command does with the files of `folder`."""
MOST_MEGABYTES = {"snap-graphs": 300}
"""What the environment of a package that installs alone may take."""

CSV = "n_vertices,adj_upper,ops,cifar10/test/accuracy@108\n2,1,,70.5\n3,111,3,93.25\n3,101,m,80\n"


def _call(folder: Path, *command: str | Path) -> str:
    """Run a command outside of any project, at the workspace's date of packages."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]
    environment = {**os.environ, "UV_EXCLUDE_NEWER": settings["exclude-newer"]}
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT"):
        environment.pop(name, None)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _tool(folder: Path, environment: Path, command: str) -> str:
    program, *arguments = command.split()
    return _call(folder, environment / "bin" / program, *arguments)


def _siblings(folder: Path, environment: Path) -> set[str]:
    python = environment / "bin" / "python"
    listing = json.loads(_call(folder, "uv", "pip", "list", "--format=json", "--python", python))
    return {entry["name"] for entry in listing if entry["name"] in SIBLINGS}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of every package."""
    folder = tmp_path_factory.mktemp("wheels")
    _call(ROOT, "uv", "build", "--all-packages", "--wheel", "--out-dir", folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with something for every tool to read."""
    from snap_graphs.convert import convert

    (tmp_path / "cells.csv").write_text(CSV)
    (tmp_path / "ops.txt").write_text("conv7x7\tConvolution 7x7\nGated linear unit\n")
    cells = convert("nb101", tmp_path / "cells.csv")
    write(cells, tmp_path / "cells.parquet", "graphs", producer="snap-graphs")
    nothing = pa.nulls(cells.num_rows, pa.float64())
    scores = cells.select(["space", "arch_id"]).append_column("score", pa.array([0.1, 0.3, 0.2]))
    scores = scores.append_column("spread", nothing).append_column("novelty", nothing)
    origin = {"snap.scorer": "made up"}
    write(scores, tmp_path / "scores.parquet", "scores", producer="snap-eval", metadata=origin)
    return tmp_path


@pytest.mark.parametrize("package", SIBLINGS)
def test_a_wheel_holds_everything_that_the_source_folder_does(wheels: Path, package: str) -> None:
    module = package.replace("-", "_")
    source = next(FOLDERS[package].glob(f"**/{module}/__init__.py")).parent
    files = [f for f in source.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    (wheel,) = wheels.glob(f"{module}-*.whl")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {f"{module}/{f.relative_to(source).as_posix()}" for f in files} == {
        name for name in names if name.startswith(f"{module}/")
    }
    assert f"{module}/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


@pytest.mark.parametrize("package", WORK)
def test_a_wheel_installs_alone_with_uv_and_works(wheels: Path, folder: Path, package: str) -> None:
    environment = folder / "environment"
    _call(folder, "uv", "venv", "--quiet", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    _call(folder, "uv", "pip", "install", "--python", python, "--find-links", wheels, package)
    assert _siblings(folder, environment) == SIBLINGS[package]
    assert _tool(folder, environment, f"{package} --version").startswith(f"{package}, version")
    assert _tool(folder, environment, f"{package} --help").startswith(f"Usage: {package}")
    _tool(folder, environment, WORK[package])
    size = sum(path.lstat().st_size for path in environment.rglob("*"))
    assert size / 1e6 < MOST_MEGABYTES.get(package, math.inf)


@pytest.mark.parametrize("package", WORK)
def test_uv_finds_the_siblings_of_a_folder_in_the_workspace(folder: Path, package: str) -> None:
    environment = folder / "environment"
    _call(folder, "uv", "venv", "--quiet", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    _call(ROOT, "uv", "pip", "install", "--python", python, f"./packages/{package}")
    assert _siblings(folder, environment) == SIBLINGS[package]
    assert _tool(folder, environment, f"{package} --help").startswith(f"Usage: {package}")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Git repository of the packages as they are in the working tree."""
    folder = tmp_path_factory.mktemp("repository")
    _call(folder, "git", "init", "--quiet")
    _call(folder, "git", f"--work-tree={ROOT}", "add", "pyproject.toml", "data-catalog", "packages")
    author = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    _call(folder, "git", *author, "commit", "--quiet", "--message", "As it is")
    return folder


def _pip_lines(package: str) -> list[str]:
    readme = (FOLDERS[package] / "README.md").read_text("utf-8")
    return re.findall(r"^(?:    )?pip install ((?:\./|\"\$SNAP#).*)$", readme, re.MULTILINE)


def _folders(line: str) -> list[str]:
    return re.findall(r"(?:\./|#subdirectory=)([\w/-]+)", line)


@pytest.mark.parametrize("package", SIBLINGS)
def test_both_pip_lines_of_the_readme_name_the_package_and_all_its_siblings(package: str) -> None:
    needed = {FOLDERS[name].relative_to(ROOT).as_posix() for name in SIBLINGS[package]}
    lines = _pip_lines(package)
    assert len(lines) == 2
    assert [set(_folders(line)) for line in lines] == [needed, needed]


@pytest.mark.parametrize(
    ("package", "sign"), [("snap-eval", "./"), ("snap-graphs", "$SNAP")], ids=["folder", "address"]
)
def test_a_pip_line_of_the_readme_makes_a_working_command(
    folder: Path, repository: Path, package: str, sign: str
) -> None:
    (line,) = (line for line in _pip_lines(package) if sign in line)
    environment = folder / "environment"
    _call(folder, sys.executable, "-m", "venv", environment)
    pip = environment / "bin" / "pip"
    _call(ROOT, "env", f"SNAP=git+file://{repository}", "bash", "-c", f"{pip} install {line}")
    assert _siblings(folder, environment) == SIBLINGS[package]
    _tool(folder, environment, WORK[package])
