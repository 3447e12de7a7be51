"""Scores of an unfinished run, kept in a file next to its output."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from snap_catalog import SnapError

from snap_evo.measuring.journal import JsonLines


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Scores of consecutive architectures of the table.

    Attributes:
        scorer: its spec.
        row: row of the first architecture.
        scores: by name.
        seconds: by name the time that the scores took.
        note: why there are no scores.
    """

    scorer: str
    row: int
    scores: dict[str, list[float]]
    seconds: dict[str, float]
    note: str = ""

    @property
    def count(self) -> int:
        """Number of architectures."""
        return max(map(len, self.scores.values()), default=1)


class Kept:
    """The finished parts, each on the disk at once.

    Attributes:
        path: the file, whose name depends on the question.
    """

    def __init__(self, out: Path, question: str) -> None:
        """Read the parts of an earlier run with the same question.

        Raises:
            SnapError: the file is damaged or cannot be written.
        """
        self.path = out.with_name(f"{out.name}.{question[:12]}.partial")
        self._lines = JsonLines(self.path, Part)
        try:
            exists = self.path.exists()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SnapError(f"{self.path}: cannot be kept ({reason}); name another OUT") from error
        found = self._lines.read() if exists else []
        self._parts = {(part.scorer, part.row): part for part in found}

    def of(self, scorer: str) -> Mapping[int, Part]:
        """Return the parts of a scorer by first row."""
        return {row: part for (name, row), part in self._parts.items() if name == scorer}

    def notes(self) -> list[str]:
        """Return why there are parts without scores."""
        return [part.note for part in self._parts.values() if not part.scores]

    def add(self, part: Part) -> None:
        """Write a part to the disk."""
        self.path.touch()
        self._lines.append([part])
        self._parts[part.scorer, part.row] = part

    def remove(self) -> None:
        """Remove the file once its content is in the output."""
        self.path.unlink(missing_ok=True)
