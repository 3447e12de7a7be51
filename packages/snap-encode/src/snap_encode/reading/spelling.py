"""Correct misspelt words to the vocabulary of operator descriptions."""

import re
from functools import cache

from snap_encode.reading import package_files

_TOKEN = re.compile(r"(?<![\w-])[A-Za-z]{4,}(?![\w-])")
"""A word that is not part of an identifier."""
_FEW, _SOME = 4, 7
"""Word lengths up to which one error, and up to which two errors are corrected."""
_WORDS = "words.txt"


def corrected(text: str) -> str:
    """Replace the unknown words of a text by the nearest known ones.

    The distance is optimal string alignment (insertions, deletions, replacements and swaps of
    adjacent letters): up to one edit in words of up to 4 letters, two up to 7, three beyond. Words
    without a match stay unchanged.
    """
    return _TOKEN.sub(lambda found: _nearest(found.group()), text)


@cache
def _nearest(word: str) -> str:
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    lower = word.lower()
    if lower in _known():
        return word
    most = 1 if len(word) <= _FEW else 2 if len(word) <= _SOME else 3
    near = extract(lower, _known(), scorer=OSA.distance, score_cutoff=most, limit=1)
    return near[0][0] if near else word


@cache
def _known() -> dict[str, str]:
    """Return the words, the most frequent first."""
    return {word: word for word in package_files.text(_WORDS).split()}
