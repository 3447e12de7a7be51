"""Read the parts of a user's own search space, a TOML file, that do not need its graphs."""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from snap_catalog.errors import SnapError, excerpt
from snap_catalog.nested import parse_toml

SUFFIX = ".toml"
"""How the names of such files end, which distinguishes them from the names of catalogued spaces."""
NAME = re.compile(r"[A-Za-z0-9_.-]+")
"""What a space or an operator of a user's own may be called."""
COMMON = ("input", "output")
"""The nodes that every cell has, and that no definition describes."""
_MOST_BYTES = 2**16
_MOST_OPERATORS = 256
_LONGEST = 2000
"""Characters of a description, of which encoders read the first few hundred."""


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a file, no more of it than shows that it is too long for `parse`.

    Raises:
        SnapError: it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(_MOST_BYTES + 1).decode()
    except FileNotFoundError as error:
        raise SnapError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise SnapError(f"{path}: cannot be read ({error}); correct or replace it") from error


def parse(text: str, source: str) -> dict[str, Any]:
    """Parse the TOML of a definition; neither its size nor its nesting is trusted.

    Args:
        text: the TOML.
        source: where it is from, for errors.

    Raises:
        SnapError: it is no TOML, or too long or nested too deeply for a definition.
    """
    if len(text.encode()) > _MOST_BYTES:
        raise SnapError(f"{source}: larger than {_MOST_BYTES >> 10} KiB; shorten it")
    try:
        return parse_toml(text)
    except ValueError as error:
        raise SnapError(f"{source}: no TOML ({error}); correct it") from error


def space_name(entries: Mapping[str, Any], source: str, taken: Collection[str]) -> str:
    """Return the name of a defined space.

    Args:
        entries: the definition.
        source: where it is from, for errors.
        taken: names that it may not have.

    Raises:
        SnapError: it has none, or one that it may not have.
    """
    name = entries.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        shown = f" = {excerpt(name)}" if "name" in entries else ""
        raise SnapError(f"{source}: name{shown} must be a name of letters, digits, _ . -")
    if name in taken:
        raise SnapError(
            f"{source}: name = {name!r} is a space that is known; give yours another name"
        )
    return name


def described_operators(entries: Mapping[str, Any], source: str) -> dict[str, str]:
    """Return the operators of a defined space: descriptions by name, in the order of the file.

    An operator is its description, or a table whose key `description` holds it.

    Args:
        entries: the definition.
        source: where it is from, for errors.

    Raises:
        SnapError: it has none, too many, or one that has no name or description; names it.
    """
    described = entries.get("operators")
    if not isinstance(described, dict) or not described:
        shown = f" = {excerpt(described)}" if "operators" in entries else ""
        raise SnapError(
            f'{source}: operators{shown} must describe an operator a line, as conv3 = "Convolution"'
        )
    if len(described) > _MOST_OPERATORS:
        raise SnapError(f"{source}: operators has {len(described)}; {_MOST_OPERATORS} are the most")
    return {name: _description(name, text, source) for name, text in described.items()}


def _description(name: str, value: object, source: str) -> str:
    key = f"{source}: operators.{name:.40}"
    text = value.get("description") if isinstance(value, dict) else value
    if not NAME.fullmatch(name):
        raise SnapError(f"{key}: the name may have letters, digits, _ . - only; rename it")
    if name in COMMON:
        raise SnapError(f"{key}: every cell has this node, and it is no choice; rename it")
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise SnapError(
            f"{key} = {excerpt(value)} must be a description in words, {_LONGEST:,} letters at most"
        )
    return " ".join(text.split())
