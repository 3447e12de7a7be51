"""The registers of the corpus: descriptions of operators in many kinds of writing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from snap_catalog.catalog import entries
from snap_catalog.texts import Split

UNREADABLE = "unreadable"
"""Kind of texts that describe no operator."""

OTHER = "other_operator"
"""Kind of texts about operators outside the known kinds; a reader learns not to recognise them."""

HELD_OUT = frozenset({"cross_attention", "ghost_module", "involution", "lp_pooling"})
"""Kinds held out from training in every register."""

_PLACE = re.compile(r"\{(kernel|stride|dilation|groups|expansion|channels|padding)\}")


@dataclass(frozen=True)
class Wording:
    """A text that describes an operator.

    Attributes:
        register: the kind of writing (`shorthand`, `german`).
        split: allowed use; texts of a test operator or test register are never used in training.
        kind: kind of operator (`max_pooling`), `OTHER` or `UNREADABLE`.
        text: may contain placeholders for numbers (`{kernel}x{kernel} pooling`).
        settings: settings that the text states without a placeholder (`kernel`: 3).
        function: name of the normalisation, activation or recurrent network.
    """

    register: str
    split: Split
    kind: str
    text: str
    settings: Mapping[str, int]
    function: str | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Names of the settings with a placeholder, without repeats."""
        return tuple(dict.fromkeys(_PLACE.findall(self.text)))

    def filled(self, settings: Mapping[str, int]) -> str:
        """Return the text with its placeholders filled."""
        return _PLACE.sub(lambda found: str(settings[found.group(1)]), self.text)


@cache
def wordings() -> tuple[Wording, ...]:
    """Return every text of every register."""
    return tuple(
        _wording(register, file, kind, entry)
        for register, file in entries("registers").items()
        for kind, table in file.items()
        if isinstance(table, dict)
        for entry in table["texts"]
    )


def _wording(register: str, file: Mapping[str, Any], kind: str, entry: Any) -> Wording:
    fields: dict[str, Any] = {"text": entry} if isinstance(entry, str) else dict(entry)
    split: Split = "test" if kind in HELD_OUT else file["split"]
    text, function = fields.pop("text"), fields.pop("function", None)
    return Wording(register, split, kind, text, fields, function)
