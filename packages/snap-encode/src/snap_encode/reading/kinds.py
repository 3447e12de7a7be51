"""The kinds of operators that a description can be read as, and the functions that it can name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from snap_encode.reading import package_files
from snap_encode.reading.plain_text import plain, words


@dataclass(frozen=True)
class Kind:
    """A kind of operator; see `kinds.toml`.

    Attributes:
        sentence: the catalog's sentence, with placeholders for numbers.
        general: the more general kind; itself if None.
        words: regular expression that distinguishes it from its general kind in plain text.
        kernel: default kernel size; None if the kind has no window.
        dilation: default dilation; None stands for 1.
        widens: whether the kind has an expansion.
        function: whether the sentence names a function.
    """

    sentence: str
    general: str | None = None
    words: str | None = None
    kernel: int | None = None
    dilation: int | None = None
    widens: bool = False
    function: bool = False


KINDS: Mapping[str, Kind] = {
    name: Kind(**entry) for name, entry in package_files.table("kinds.toml").items()
}
_FUNCTIONS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    kind: {name: re.compile(pattern) for name, pattern in named.items()}
    for kind, named in package_files.table("functions.toml").items()
}
"""By kind, the patterns that name a function; `after` has the functions that follow an operator."""


def function(text: str, kind: str) -> str | None:
    """Return the normalisation, activation or recurrent network that a text names, or None."""
    return next(iter(_functions(text, kind)), None)


def follows(text: str) -> tuple[str, ...]:
    """Return the normalisation and the activation that follow the operator in a text."""
    return _functions(text, "after")


def _functions(text: str, kind: str) -> tuple[str, ...]:
    forms = f"{plain(text)} {words(text)}"
    named = _FUNCTIONS.get(kind, {}).items()
    return tuple(name for name, pattern in named if pattern.search(forms))
