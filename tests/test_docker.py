"""The steps of the Dockerfile work, also where there is no Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
STEPS = [
    (word, rest)
    for line in re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8")).splitlines()
    if line and not line.startswith("#")
    for word, rest in [line.split(maxsplit=1)]
]
"""Instructions and their arguments, in order."""
_LEFT_OUT = (ROOT / ".dockerignore").read_text("utf-8").split()


def _ignored(folder: str, names: list[str]) -> set[str]:
    """Return what of a folder Docker leaves out: patterns without `**/` are of the root alone."""
    patterns = [line.removeprefix("**/") for line in _LEFT_OUT if line.startswith("**/")]
    if Path(folder) == ROOT:
        patterns += _LEFT_OUT
    return shutil.ignore_patterns(*patterns)(folder, names)


def _arguments(instruction: str) -> list[str]:
    return [rest for word, rest in STEPS if word == instruction]


def test_the_image_does_what_the_first_command_of_the_readme_does() -> None:
    (installs, command) = re.findall(r"^(pip install uv) && (uv run .*)$", README, re.MULTILINE)[0]
    assert _arguments("RUN")[0] == installs.replace("install", "install --no-cache-dir")
    (default,) = _arguments("CMD")
    assert json.loads(default) == command.replace("uv run", "uv run --no-sync").split()


def test_root_only_makes_the_account_that_the_rest_runs_as() -> None:
    words = [word for word, _ in STEPS]
    assert _arguments("USER") == ["snap"]
    assert words.index("USER") < words.index("COPY") < len(words) - 1 - words[::-1].index("RUN")


@pytest.mark.slow
def test_the_steps_run_in_a_fresh_folder_with_an_empty_home(tmp_path: Path) -> None:
    snap, home, python = (tmp_path / name for name in ("snap", "home", "python"))
    home.mkdir()
    shutil.copytree(ROOT, snap, ignore=_ignored)
    subprocess.run([sys.executable, "-m", "venv", python], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_PROJECT")}
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True)
    environment = kept | {
        "HOME": str(home),
        "PATH": f"{python / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "UV_CACHE_DIR": cache.stdout.strip(),  # in place of the image's UV_NO_CACHE
    }
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "SNAP_CACHE"):
        environment.pop(name, None)
    commands = [line for line in _arguments("RUN") if not line.startswith("useradd")]
    for command in [*commands, " ".join(json.loads(_arguments("CMD")[0]))]:
        done = subprocess.run(
            ["sh", "-c", command], cwd=snap, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert done.stdout.startswith("best cell")
    assert json.loads((snap / "best.json").read_text("utf-8"))["space"] == "nb201"
