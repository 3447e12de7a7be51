"""Sentences to vectors (paper, section 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import shorten
from typing import TYPE_CHECKING

from snap_catalog import SnapError
from snap_catalog.console import progress

from snap_encode.hush import hushed
from snap_encode.models import DEFAULT_MODEL, Model, locate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

_BATCH = 64


class SentenceEncoder:
    """A sentence-transformers model, on the CPU.

    `all-MiniLM-L6-v2` pools the mean of the token vectors (paper, section 3.2) and scales it to
    length 1, so that the inner product of two vectors is their cosine similarity.

    Attributes:
        name: the model's name.
        sha256: SHA-256 of the model's safetensors weights, 64 hexadecimal digits.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        """Load a model.

        Args:
            model: a folder, or a name on the Hugging Face hub; the default needs no network.

        Raises:
            SnapError: the model is not to be had, damaged, or without safetensors weights.
        """
        found = locate(model)
        self.name = found.name
        self.sha256 = found.sha256
        self._model = _load(found)

    def encode(self, texts: Sequence[str], *, quiet: bool = True) -> NDArray[np.float32]:
        """Return the vectors of some texts.

        A text's vector does not depend on the other texts (to about 1e-6), and a text that occurs
        twice is encoded once. What exceeds the model's input (256 tokens for the default model)
        is ignored.

        Args:
            texts: n texts.
            quiet: show no progress.

        Returns:
            Array of shape (n, d), 384 columns for the default model.
        """
        import numpy as np

        distinct = sorted(dict.fromkeys(texts), key=len)
        vectors = np.empty((len(distinct), self._dimension()), np.float32)
        bar = progress("Encoding", len(distinct), quiet=quiet)
        with hushed(), _one_thread(), bar as advance:
            for start in range(0, len(distinct), _BATCH):
                batch = distinct[start : start + _BATCH]
                vectors[start : start + len(batch)] = self._model.encode(
                    batch, batch_size=_BATCH, show_progress_bar=False
                )
                advance(len(batch))
        row = {text: i for i, text in enumerate(distinct)}
        return vectors[[row[text] for text in texts]]

    def _dimension(self) -> int:
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise SnapError(f"model {self.name!r}: it does not tell the length of its vectors")
        return dimension


@contextmanager
def _one_thread() -> Iterator[None]:
    # The sums come out the same whatever the number of cores; and where others keep the cores
    # busy, threads that wait for one another make short texts several times slower.
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _load(model: Model) -> SentenceTransformer:
    with hushed():
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(
                str(model.folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        # A damaged folder fails in as many ways as the libraries beneath have parts.
        except Exception as error:
            reason = shorten(str(error), 200, placeholder=" ...") or type(error).__name__
            raise SnapError(
                f"{model.folder}: not a sentence-transformers model that can be loaded "
                f"({reason}); fetch or save it anew"
            ) from error
