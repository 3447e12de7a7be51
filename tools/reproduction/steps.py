"""Steps that are made once: a step whose inputs are what they were is not run again."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from snap_catalog.console import say
from snap_catalog.parquet import replacing


@dataclass(frozen=True)
class Step:
    """Something to be made.

    Attributes:
        what: what it is, in a few words.
        out: the file it makes.
        inputs: the files and folders that it is made from.
        recipe: what else decides how it comes out: a command, or names and numbers.
        make: makes the file.
    """

    what: str
    out: Path
    inputs: Sequence[Path]
    recipe: Sequence[str]
    make: Callable[[], object]


class Ledger:
    """Remembers of every file made what it was made from.

    Args:
        folder: where it is kept.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "ledger.json"
        self._made: dict[str, str] = (
            json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}
        )

    def carry_out(self, step: Step) -> bool:
        """Make a step's file unless it is there, made from the same; return whether it was made."""
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
            temporary.write_text(json.dumps(self._made, indent=1, sort_keys=True) + "\n", "utf-8")


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
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
