"""Normalise texts for rules and n-grams."""

import re
import unicodedata

from snap_encode.reading import package_files

_SQUARED = re.compile(r"(\d{1,2})\s*²")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LETTER_TO_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
_DIGIT_TO_LETTER = re.compile(r"(?<=\d)(?=[^\W\d_])")
_WORDS = {
    word: number
    for number, words in package_files.table("numbers.toml")["words"].items()
    for word in words.split()
}
_WORD = re.compile(
    "|".join(
        re.escape(word)
        if word[0] > "\u2e80"
        else rf"(?:\b|(?<=mal)){re.escape(word)}(?=\b|fach|fold|mal)"
        for word in sorted(_WORDS, key=len, reverse=True)
    )
)

_SIDE = re.compile(r"\b(zwei|drei|vier|fünf|sieben|neun|elf)er(?=[\w-])")
"""German number prefixes, as in `Dreierfaltung`, a 3x3 convolution."""


def plain(text: str) -> str:
    """Return a text in lower case and NFKC form, with single spaces between words."""
    text = _SQUARED.sub(r"\1x\1", text).replace("_", " ")
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def words(text: str) -> str:
    """Split identifiers into words: `SepConv3x3_bn` becomes `sep conv 3 x 3 bn`."""
    text = unicodedata.normalize("NFKC", text)
    text = _HUMP.sub(" ", text).replace("_", " ").lower()
    text = _DIGIT_TO_LETTER.sub(" ", _LETTER_TO_DIGIT.sub(" ", text))
    return " ".join(text.split())


def with_digits(text: str) -> str:
    """Replace number words by digits: `three by three` becomes `3 by 3`."""
    text = _SIDE.sub(lambda found: f"{_WORDS[found.group(1)]}er ", text.replace("九宫格", "3x3"))
    return _WORD.sub(lambda found: _WORDS[found.group()], text)
