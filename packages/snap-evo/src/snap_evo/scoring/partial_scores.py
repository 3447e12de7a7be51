"""What a run has scored so far, kept in a file beside its output."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from snap_catalog import SnapError

from snap_evo.measuring.journal import JsonLines


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Scores of some architectures that follow one another in the table.

    Attributes:
        scorer: as the user wrote it.
        row: the first of them.
        scores: by name.
        seconds: by name, how long it took to get each score.
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
    """The parts that are done, on the disk as soon as they are.

    Attributes:
        path: of the file, whose name tells what was asked for, so that other questions have others.
    """

    def __init__(self, out: Path, question: str) -> None:
        """Read what a run with the same question left.

        Args:
            out: the run's output.
            question: a hash of all that scores depend on.

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
        """Return the parts of a scorer by their first rows."""
        return {row: part for (name, row), part in self._parts.items() if name == scorer}

    def notes(self) -> list[str]:
        """Return why there are parts without scores."""
        return [part.note for part in self._parts.values() if not part.scores]

    def add(self, part: Part) -> None:
        """Keep a part; when this returns it is on the disk.

        Raises:
            SnapError: the file cannot be written.
        """
        self.path.touch()
        self._lines.append([part])
        self._parts[part.scorer, part.row] = part

    def remove(self) -> None:
        """Remove the file, as its content is in the output now."""
        self.path.unlink(missing_ok=True)
