"""The kinds of operators that a description can be read as."""

from collections.abc import Mapping
from dataclasses import dataclass

from snap_encode.reading import package_files


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


def _kinds() -> dict[str, Kind]:
    return {name: Kind(**entry) for name, entry in package_files.table("kinds.toml").items()}


KINDS: Mapping[str, Kind] = _kinds()
