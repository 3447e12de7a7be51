"""Read the name and the operators from a TOML file that defines a search space."""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from snap_catalog.errors import SnapError, excerpt
from snap_catalog.nested import parse_toml

SUFFIX = ".toml"
"""Suffix that distinguishes such files from the names of catalogued spaces."""
NAME = re.compile(r"[A-Za-z0-9_.-]+")
"""Valid names of user-defined spaces and operators."""
COMMON = ("input", "output")
"""Nodes of every cell, which a definition does not describe."""
_MOST_BYTES = 2**16
_MOST_OPERATORS = 256
_LONGEST = 2000
"""Characters per description; encoders read the first few hundred."""


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a file, truncated once it is too long for `parse`.

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
    """Parse the TOML of a definition, with limits on size and nesting.

    Args:
        text: the TOML.
        source: origin of the text, for errors.

    Raises:
        SnapError: it is not TOML, too long, or nested too deeply.
    """
    if len(text.encode()) > _MOST_BYTES:
        raise SnapError(f"{source}: larger than {_MOST_BYTES >> 10} KiB; shorten it")
    try:
        return parse_toml(text)
    except ValueError as error:
        raise SnapError(f"{source}: not TOML ({error}); correct it") from error


def space_name(entries: Mapping[str, Any], source: str, taken: Collection[str]) -> str:
    """Return the name of a defined space.

    Args:
        entries: the definition.
        source: origin of the text, for errors.
        taken: names that are not allowed.

    Raises:
        SnapError: the name is missing, invalid or taken.
    """
    name = entries.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        shown = f" = {excerpt(name)}" if "name" in entries else ""
        raise SnapError(f"{source}: name{shown} must be a name of letters, digits, _ . -")
    if name in taken:
        raise SnapError(
            f"{source}: name = {name!r} is the name of a known space; choose another name"
        )
    return name


def described_operators(entries: Mapping[str, Any], source: str) -> dict[str, str]:
    """Return the description of every operator by name, in the order of the file.

    The value of an operator is its description, or a table with the key `description`.

    Args:
        entries: the definition.
        source: origin of the text, for errors.

    Raises:
        SnapError: there are no operators or too many, or one has no valid name or description.
    """
    described = entries.get("operators")
    if not isinstance(described, dict) or not described:
        shown = f" = {excerpt(described)}" if "operators" in entries else ""
        raise SnapError(
            f"{source}: operators{shown} must describe one operator per line, "
            'such as conv3 = "Conv 3x3"'
        )
    if len(described) > _MOST_OPERATORS:
        raise SnapError(
            f"{source}: {len(described)} operators; at most {_MOST_OPERATORS} are allowed"
        )
    return {name: _description(name, text, source) for name, text in described.items()}


def _description(name: str, value: object, source: str) -> str:
    key = f"{source}: operators.{name:.40}"
    text = value.get("description") if isinstance(value, dict) else value
    if not NAME.fullmatch(name):
        raise SnapError(f"{key}: the name may only have letters, digits, _ . -; rename it")
    if name in COMMON:
        raise SnapError(f"{key}: is a node of every cell, not an operator; rename it")
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise SnapError(
            f"{key} = {excerpt(value)} must be a description of at most {_LONGEST:,} characters"
        )
    return " ".join(text.split())
