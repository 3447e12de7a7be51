"""Encode the meaning of operator descriptions, independent of their wording."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snap_encode.encoder import SentenceEncoder
from snap_encode.models import DEFAULT_MODEL
from snap_encode.reading import Described, Reader, Reading


class OperatorEncoder:
    """A sentence encoder that reads a description before it encodes it.

    A description that is read with high confidence gets the vector of the catalog's sentence for
    the operator, so that descriptions with the same meaning get the same vector. The lower the
    confidence, the closer the vector is to that of the description.

    Attributes:
        words: the sentence encoder.
        name: name of the sentence encoder.
        sha256: SHA-256 of its weights; vectors are comparable with its vectors of any text.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        """Choose a sentence encoder.

        Args:
            model: a known model, a folder, or a name on the Hugging Face hub.

        Raises:
            SnapError: as for `SentenceEncoder`.
        """
        self.words = SentenceEncoder(model)
        self._reader = Reader()
        self.name, self.sha256 = self.words.name, self.words.sha256

    def read(self, texts: Sequence[str], *, quiet: bool = True) -> list[Reading]:
        """Read descriptions."""
        return self._reader.read(texts, quiet=quiet)

    def described(
        self, operators: Sequence[tuple[str, str]], *, quiet: bool = True
    ) -> list[Described]:
        """Read operators, given pairs of name and description."""
        return self._reader.described(operators, quiet=quiet)

    def encode(self, texts: Sequence[str], *, quiet: bool = True) -> NDArray[np.float32]:
        """Return the vectors of descriptions, shape (texts, d)."""
        return self.vectors(self.read(texts, quiet=quiet), quiet=quiet)

    def vectors(self, readings: Sequence[Reading], *, quiet: bool = True) -> NDArray[np.float32]:
        """Return the vectors of readings, shape (readings, d).

        With w the `weight` of a reading, m the vector of its sentence and t that of its text, the
        vector has the direction of w m + (1 - w) t and the length w |m| + (1 - w) |t|.
        """
        meant = self.words.encode([each.sentence for each in readings], quiet=quiet)
        unsure = [row for row, each in enumerate(readings) if each.weight < 1]
        if not unsure:
            return meant
        literal = self.words.encode([readings[row].text for row in unsure], quiet=quiet)
        weight = np.array([[readings[row].weight] for row in unsure], np.float32)
        mixed = weight * meant[unsure] + (1 - weight) * literal
        length = weight * _length(meant[unsure]) + (1 - weight) * _length(literal)
        meant[unsure] = mixed * (length / np.maximum(_length(mixed), 1e-12))
        return meant


def _length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return lengths
