"""Misspelt words put right, by the words that descriptions of operators use."""

import re
from functools import cache

from snap_encode.reading import package_files

_TOKEN = re.compile(r"(?<![\w-])[A-Za-z]{4,}(?![\w-])")
"""A word that is no part of an identifier."""
_FEW, _SOME = 4, 7
"""Letters up to which a word may have one wrong, and up to which it may have two."""
_WORDS = "words.txt"


def corrected(text: str) -> str:
    """Return a text with its unknown words replaced by the known ones they are nearest to.

    Near is what few insertions, deletions, replacements and swaps of neighbouring letters turn into
    one another (optimal string alignment): one in words of up to 4 letters, two up to 7, three
    beyond. Words that are near to nothing stay.
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
