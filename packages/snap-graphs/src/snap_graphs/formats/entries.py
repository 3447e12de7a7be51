"""Entries of a mapping, as a file lists them."""

from collections import Counter
from typing import Any


def entries_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the entries of a mapping in a file.

    Raises:
        ValueError: one is there twice.
    """
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"it has the entry {names.most_common(1)[0][0]!r} twice in one place")
    return entries
