"""Steps that run once: a step whose inputs did not change is not run again."""

import hashlib
import json
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from snap_catalog import SnapError
from snap_catalog.checksums import file_sha256
from snap_catalog.console import say
from snap_catalog.parquet import replacing

Figures = dict[str, float]
"""The results of a trial, by name."""
_STANDARD_ERROR = 2


@dataclass(frozen=True)
class Step:
    """A file or folder, and how to make it.

    Attributes:
        what: what is done, in a few words.
        out: the file or folder.
        inputs: the files and folders that it is made from.
        recipe: all other settings that the result depends on: a command, or names and numbers.
        make: makes it.
    """

    what: str
    out: Path
    inputs: Sequence[Path]
    recipe: Sequence[str]
    make: Callable[[], object]


class Ledger:
    """Records what every file was made from, in `ledger.json` of a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "ledger.json"
        self._made: dict[str, str] = (
            json.loads(self._path.read_text("utf-8"))["made"] if self._path.exists() else {}
        )

    def run(self, step: Step) -> bool:
        """Run a step unless its file exists, made from the same; return whether it ran."""
        mark = fingerprint(step)
        if step.out.exists() and self._made.get(str(step.out)) == mark:
            return False
        say(f"{step.what}: {step.out}")
        step.out.parent.mkdir(parents=True, exist_ok=True)
        step.make()
        self._made[str(step.out)] = mark
        self._save()
        return True

    def _save(self) -> None:
        with replacing(self._path) as temporary:
            temporary.write_text(
                json.dumps({"made": self._made}, indent=1, sort_keys=True) + "\n", "utf-8"
            )


def fingerprint(step: Step) -> str:
    """Return a hash of all that decides how a step comes out."""
    inputs: Mapping[str, str] = {str(path): digest(path) for path in step.inputs}
    return hashlib.sha256(json.dumps([list(step.recipe), inputs]).encode()).hexdigest()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of a folder's files."""
    if path.is_file():
        stat = path.stat()
        return _file_digest(path, stat.st_mtime_ns, stat.st_size)
    files = sorted(inner for inner in path.rglob("*") if inner.is_file())
    lines = [f"{inner.relative_to(path)} {digest(inner)}\n" for inner in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@cache
def _file_digest(path: Path, modified: int, size: int) -> str:
    return file_sha256(path)


def command(words: Sequence[str], *, folder: Path | None = None, quiet: bool = False) -> None:
    """Run a command, and show it; its standard output goes to standard error.

    Args:
        words: of the command.
        folder: to run it in; the current one if None.
        quiet: hide its standard output.

    Raises:
        SnapError: it failed, and has printed why.
    """
    say(f"$ {shlex.join(words)}")
    output = subprocess.DEVNULL if quiet else _STANDARD_ERROR
    if subprocess.run(words, cwd=folder, check=False, stdout=output).returncode:
        raise SnapError(f"{shlex.join(words[:2])} failed; finished steps are kept")


def made_by(words: Sequence[str], folder: Path, out: str) -> Path:
    """Make a file or folder by a command, unless it exists, made by the same from the same.

    Its inputs are the files and folders that the command names.

    Args:
        words: of the command, with paths that are absolute or relative to the folder.
        folder: to run it in.
        out: path of the result, likewise.
    """
    path = folder / out
    named = [folder / word for word in words[1:] if (folder / word).exists()]
    inputs = [each for each in named if each != path]
    step = Step(words[0], path, inputs, words, lambda: command(words, folder=folder))
    Ledger(path.parent).run(step)
    return path


def figures(
    out: Path, inputs: Sequence[Path], recipe: Sequence[str], trial: Callable[[], Figures]
) -> Figures:
    """Return the figures of a trial, which are written to a JSON file and read from there later.

    Args:
        out: the file.
        inputs: as in `Step`.
        recipe: as in `Step`.
        trial: computes the figures.
    """

    def make() -> None:
        found = trial()
        with replacing(out) as temporary:
            temporary.write_text(json.dumps(found) + "\n", "utf-8")

    Ledger(out.parent).run(Step("trial", out, inputs, recipe, make))
    return cast(Figures, json.loads(out.read_text("utf-8")))
