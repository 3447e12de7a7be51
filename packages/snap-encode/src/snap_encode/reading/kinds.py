"""The kinds of operators that a description can be read as."""

from collections.abc import Mapping
from dataclasses import dataclass

from snap_encode.reading import package_files


@dataclass(frozen=True)
class Kind:
    """A kind of operator; see `kinds.toml`.

    Attributes:
        sentence: how the catalog would put it, with places for numbers.
        general: the kind that a less exact description would name; itself if None.
        words: an expression that tells it from its general kind in plain text.
        kernel: the size that is meant where none is stated; None if the kind has no window.
        dilation: the dilation that goes without saying; None if that is 1.
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
