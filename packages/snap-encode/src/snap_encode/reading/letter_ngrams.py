"""Encode the letter n-grams of a text as a sparse vector, which misspellings change little."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from snap_encode.reading.plain_text import words

BUCKETS = 8192
_LENGTHS = (2, 3, 4, 5)
_DIGITS = re.compile(r"\d+")


def grams(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return (m,) ascending hash buckets of the n-grams of a text, and their (m,) weights.

    N-grams of 2 to 5 letters within words, words and pairs of words are hashed (CRC-32). All
    numbers are treated as one, as the kind of an operator does not depend on them. The weights are
    square roots of the counts, scaled to length 1. Buckets are below `BUCKETS`.
    """
    counts = Counter(
        zlib.crc32(gram.encode("utf-8", "surrogatepass")) % BUCKETS for gram in _sequences(text)
    )
    buckets = np.array(sorted(counts), np.int64)
    weights: NDArray[np.float32] = np.sqrt(
        np.array([counts[bucket] for bucket in buckets.tolist()], np.float32)
    )
    weights /= max(float(np.linalg.norm(weights)), 1e-12)
    return buckets, weights


def _sequences(text: str) -> Iterator[str]:
    tokens = _DIGITS.sub("0", words(text)).split()
    for token in tokens:
        yield f"w:{token}"
        framed = f"<{token}>"
        for length in _LENGTHS:
            for start in range(len(framed) - length + 1):
                yield framed[start : start + length]
    for first, second in pairwise(tokens):
        yield f"p:{first} {second}"
