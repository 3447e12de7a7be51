"""Parse untrusted JSON and TOML; deep nesting raises `ValueError` without delay."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from typing import Any

_DEEPEST = 16
"""Allowed levels of nesting in TOML: nested brackets plus parts of a dotted key."""
_TOML_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*"
    r"|[][{}.=,\n]",
    flags=re.DOTALL,
)
"""Strings and comments, which may contain anything, brackets, and the ends of keys."""


def parse_json(text: str | bytes, **hooks: Callable[[Any], Any]) -> Any:
    """Parse JSON.

    Args:
        text: the JSON.
        hooks: `parse_constant`, `object_pairs_hook` and others of `json.loads`.

    Raises:
        ValueError: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(text, **hooks)  # type: ignore[arg-type]
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def entries_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return pairs as a dictionary, for use as `object_pairs_hook`.

    Raises:
        ValueError: a key is repeated.
    """
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"the entry {names.most_common(1)[0][0]!r} is repeated")
    return entries


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML of at most 16 levels, as deep nesting costs quadratic time.

    Raises:
        ValueError: it is not TOML, or nested more deeply.
    """
    if _toml_depth(text) > _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep")
    return tomllib.loads(text)


def _toml_depth(text: str) -> int:
    """Return the depth of the deepest bracket or dotted key, in linear time."""
    depth = parts = deepest = 0
    for match in _TOML_TOKEN.finditer(text):
        token = match[0]
        if token == ".":
            parts += 1
        elif token in "=,\n[]{}":
            parts = 0
            depth += (token in "[{") - (token in "]}")
        deepest = max(deepest, depth + parts)
    return deepest
