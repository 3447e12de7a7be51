"""Vectors of what operators mean, however they are described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from snap_encode.encoder import SentenceEncoder
from snap_encode.models import DEFAULT_MODEL
from snap_encode.reading import Described, Reader, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class OperatorEncoder:
    """A sentence encoder that reads a description before it encodes it.

    The vector of a description that was surely read is that of the catalog's sentence for the same
    operator, so that equal meanings have equal vectors. The less sure the reading is, the more the
    vector is that of the description's own words.

    Attributes:
        words: the sentence encoder.
        name: its name.
        sha256: of its weights; the vectors compare with those of any text by that encoder.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        """Choose a sentence encoder.

        Args:
            model: a known model, a folder, or a name on the Hugging Face hub.

        Raises:
            SnapError: as `SentenceEncoder`.
        """
        self.words = SentenceEncoder(model)
        self._reader = Reader()
        self.name, self.sha256 = self.words.name, self.words.sha256

    def read(self, texts: Sequence[str], *, quiet: bool = True) -> list[Reading]:
        """Return what some descriptions mean."""
        return self._reader.read(texts, quiet=quiet)

    def described(
        self, operators: Sequence[tuple[str, str]], *, quiet: bool = True
    ) -> list[Described]:
        """Return what some operators mean, given their names and descriptions."""
        return self._reader.described(operators, quiet=quiet)

    def encode(self, texts: Sequence[str], *, quiet: bool = True) -> NDArray[np.float32]:
        """Return (texts, d) the vectors of what some descriptions mean."""
        return self.vectors(self.read(texts, quiet=quiet), quiet=quiet)

    def vectors(self, readings: Sequence[Reading], *, quiet: bool = True) -> NDArray[np.float32]:
        """Return (readings, d) the vectors of readings.

        With w the `weight` of a reading, m the vector of its sentence and t that of its own words,
        the vector points where w m + (1 - w) t does, and is w |m| + (1 - w) |t| long.
        """
        import numpy as np

        meant = self.words.encode([each.sentence for each in readings], quiet=quiet)
        unsure = [row for row, each in enumerate(readings) if each.weight < 1]
        if not unsure:
            return meant
        said = self.words.encode([readings[row].text for row in unsure], quiet=quiet)
        weight = np.array([[readings[row].weight] for row in unsure], np.float32)
        mixed = weight * meant[unsure] + (1 - weight) * said
        length = weight * _length(meant[unsure]) + (1 - weight) * _length(said)
        meant[unsure] = mixed * (length / np.maximum(_length(mixed), 1e-12))
        return meant


def _length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return lengths
