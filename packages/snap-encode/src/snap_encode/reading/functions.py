"""Find names of normalisations, activations and recurrent networks in a description."""

import re
from collections.abc import Mapping

from snap_encode.reading import package_files
from snap_encode.reading.plain_text import plain, words

_PATTERNS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    kind: {name: re.compile(pattern) for name, pattern in named.items()}
    for kind, named in package_files.table("functions.toml").items()
}


def function(text: str, kind: str) -> str | None:
    """Return the function of a kind that a text names, or None."""
    forms = f"{plain(text)} {words(text)}"
    for name, pattern in _PATTERNS.get(kind, {}).items():
        if pattern.search(forms):
            return name
    return None


def follows(text: str) -> tuple[str, ...]:
    """Return the normalisation and the activation that follow the operator in a text."""
    forms = f"{plain(text)} {words(text)}"
    return tuple(name for name, pattern in _PATTERNS["after"].items() if pattern.search(forms))
