"""The kinds of operators that a description can be read as."""

from collections.abc import Mapping
from dataclasses import dataclass

from snap_encode.reading import package_files


@dataclass(frozen=True)
class Kind:
    """A kind of operator; see `kinds.toml`."""

    sentence: str  # the catalog's sentence, with placeholders for numbers
    general: str | None = None  # the more general kind; itself if None
    # regular expression that distinguishes it from `general` in plain text
    words: str | None = None
    kernel: int | None = None  # default kernel size; None if the kind has no window
    dilation: int | None = None  # default dilation; None stands for 1
    widens: bool = False  # whether the kind has an expansion
    function: bool = False  # whether the sentence names a function


def _kinds() -> dict[str, Kind]:
    return {name: Kind(**entry) for name, entry in package_files.table("kinds.toml").items()}


KINDS: Mapping[str, Kind] = _kinds()
