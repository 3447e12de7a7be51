"""Classify descriptions by kind of operator."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from snap_catalog import SnapError
from snap_catalog.registers import UNREADABLE

from snap_encode.reading.kinds import KINDS
from snap_encode.reading.letter_ngrams import BUCKETS, grams

WEIGHTS = Path(__file__).with_name("head.safetensors")
_TENSORS = ("vectors", "letters", "bias")
LABELS = (*KINDS, UNREADABLE)
_DIMENSION = 384
"""Dimensions of the vectors of `snap-minilm`."""
_SHAPES = [(_DIMENSION, len(LABELS)), (BUCKETS, len(LABELS)), (len(LABELS),)]


class Head:
    """Logistic regression on the vector and the letter n-grams of a text.

    The probabilities are softmax(v V + g G + b) with v the sentence encoder's vector and g the
    weights of the n-grams (`grams`). V, G and b are divided by a temperature that was fitted on
    another register.
    """

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Choose a file of weights, which is read on first use."""
        self._path = path

    def probabilities(
        self, texts: Sequence[str], vectors: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Return (n, labels) probabilities of n texts, given their (n, d) vectors by `snap-minilm`.

        Columns are in the order of `LABELS`.
        """
        of_vectors, of_letters, bias = self._weights
        logits = vectors.astype(np.float64) @ of_vectors + bias
        for row, text in enumerate(texts):
            buckets, weights = grams(text)
            logits[row] += weights @ of_letters[buckets]
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        found: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
        return found

    @cached_property
    def _weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            tensors = load_file(self._path)
            dense, sparse, bias = (tensors[name].astype("f8") for name in _TENSORS)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise SnapError(
                f"{self._path}: damaged ({error}); install snap-encode again"
            ) from error
        if [tensor.shape for tensor in (dense, sparse, bias)] != _SHAPES:
            raise SnapError(f"{self._path}: of another version; install snap-encode again")
        if not all(np.isfinite(tensor).all() for tensor in (dense, sparse, bias)):
            raise SnapError(f"{self._path}: damaged (not finite); install snap-encode again")
        return dense, sparse, bias
