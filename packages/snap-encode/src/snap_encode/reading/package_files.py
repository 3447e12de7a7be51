"""Read the data files of the reader."""

import tomllib
from importlib.resources import files
from typing import Any


def text(name: str) -> str:
    """Return the text of a file of this package."""
    return files("snap_encode.reading").joinpath(name).read_text("utf-8")


def table(name: str) -> dict[str, Any]:
    """Return the content of a TOML file of this package."""
    return tomllib.loads(text(name))
