"""Encode sentences as vectors (paper, section 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from snap_catalog import SnapError
from snap_catalog.console import progress, say
from snap_catalog.threads import one_thread

from snap_encode.libraries import silenced
from snap_encode.models import DEFAULT_MODEL, locate
from snap_encode.vectors import VectorCache

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 64


class SentenceEncoder:
    """A sentence-transformers model on the CPU, with a cache of its vectors.

    The model is loaded for the first text whose vector is not in the cache.
    `all-MiniLM-L6-v2` pools the mean of the token vectors (paper, section 3.2) and scales it to
    length 1, so that the inner product of two vectors is their cosine similarity.

    Attributes:
        name: the model's name.
        sha256: SHA-256 of the model's safetensors weights, 64 hexadecimal digits; of a model
            derived from another, over the digests of both.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        """Choose a model.

        Args:
            model: a known model, a folder, or a name on the Hugging Face hub.

        Raises:
            SnapError: the model is not available, damaged, or has no safetensors weights.
        """
        self._found = locate(model)
        self.name = self._found.name
        self.sha256 = self._found.sha256

    def encode(self, texts: Sequence[str], *, quiet: bool = True) -> NDArray[np.float32]:
        """Return the vectors of texts.

        The vector of a text does not depend on the other texts (to about 1e-6). Text beyond the
        model's input length (256 tokens for the default model) is ignored.

        Args:
            texts: n texts.
            quiet: show no progress.

        Returns:
            Array of shape (n, d), 384 columns for the default model.

        Raises:
            SnapError: the model's weights are not available, or damaged.
        """
        cache = VectorCache(self._found.key, quiet=quiet)
        distinct = sorted(dict.fromkeys(texts), key=len)
        vectors = cache.get(distinct)
        missing = [text for text in distinct if text not in vectors]
        for batch in self._compute(missing, quiet):
            cache.put(batch)
            vectors.update(batch)
        if not texts:
            return np.empty((0, self._dimension()), np.float32)
        return np.stack([vectors[text] for text in texts])

    @cached_property
    def _network(self) -> SentenceTransformer:
        return self._found.load()

    def _compute(
        self, texts: Sequence[str], quiet: bool
    ) -> Iterator[dict[str, NDArray[np.float32]]]:
        if not texts:
            return
        if "_network" not in vars(self):
            say(f"Loading {self.name}", quiet=quiet)
        network = self._network
        bar = progress("Encoding", len(texts), quiet=quiet)
        with silenced(), one_thread(), bar as advance:
            for start in range(0, len(texts), _BATCH):
                batch = texts[start : start + _BATCH]
                # Lone surrogates, of arguments that are not UTF-8, are accepted by no tokenizer.
                shown = [text.encode("utf-8", "replace").decode() for text in batch]
                vectors = network.encode(shown, batch_size=_BATCH, show_progress_bar=False)
                yield dict(zip(batch, vectors, strict=True))
                advance(len(batch))

    def _dimension(self) -> int:
        dimension = self._network.get_embedding_dimension()
        if dimension is None:
            raise SnapError(
                f"model {self.name!r}: the length of its vectors is unknown; choose another model"
            )
        return dimension
