"""Normalisations, activations and recurrent networks by name, and what follows an operator."""

import re
from collections.abc import Mapping

from snap_encode.reading import package_files
from snap_encode.reading.plain_text import plain, words

_PATTERNS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    kind: {name: re.compile(pattern) for name, pattern in named.items()}
    for kind, named in package_files.table("functions.toml").items()
}


def function(text: str, kind: str) -> str | None:
    """Return which function of a kind a text names; None if it names none."""
    spread = f"{plain(text)} {words(text)}"
    for name, pattern in _PATTERNS.get(kind, {}).items():
        if pattern.search(spread):
            return name
    return None


def follows(text: str) -> tuple[str, ...]:
    """Return the normalisation and the activation that a text mentions beside the operator."""
    spread = f"{plain(text)} {words(text)}"
    return tuple(name for name, pattern in _PATTERNS["after"].items() if pattern.search(spread))
