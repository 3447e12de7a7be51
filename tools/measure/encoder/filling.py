"""The texts of the corpus' registers with numbers in their places, and reworded ones."""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from snap_catalog.registers import Wording

from tools.measure.encoder.wording import misspelt

VALUES: Mapping[str, Sequence[int]] = {
    "kernel": (1, 2, 3, 5, 7, 9, 11),
    "stride": (1, 2, 4),
    "dilation": (2, 3, 4),
    "groups": (2, 4, 8, 32),
    "expansion": (1, 3, 4, 6),
    "channels": (16, 64, 256),
}
_KERNEL_1 = ("convolution", "grouped_convolution", "inverted_residual", "fused_inverted_residual")


def filled(wording: Wording, random: Random) -> tuple[str, dict[str, int]]:
    """Fill the places of a text with numbers at random.

    Returns:
        the text, and all settings that it states.
    """
    drawn = {
        place: random.choice(_values(place, wording.kind))
        for place in wording.places
        if place in VALUES
    }
    settings = {**wording.settings, **drawn}
    padding = settings.get("kernel", 3) // 2
    return wording.filled({**settings, "padding": padding}), settings


def _values(place: str, kind: str) -> list[int]:
    """Return the numbers that make sense: no kernel of 1 but for some kinds, of 2 for pooling."""
    wrong = {
        1: place == "kernel" and kind not in _KERNEL_1,
        2: place == "kernel" and "pooling" not in kind,
    }
    return [value for value in VALUES[place] if not wrong.get(value)]


def reworded(text: str, others: Sequence[str], random: Random) -> str:
    """Change a text as people do: misspell, abbreviate, join, pad, drop a word, or change its case.

    Args:
        text: the text.
        others: texts on other matters, to pad it with.
        random: draws.
    """
    ways: Sequence[Callable[[], str]] = (
        lambda: misspelt(text, random.choice((1, 1, 2, 3)), random),
        lambda: f"{text}. {random.choice(others)}",
        lambda: f"{random.choice(others)} {text}",
        text.lower,
        text.capitalize,
        lambda: text.lower().replace(" ", "_"),
        lambda: text.replace(" ", ""),
        lambda: re.sub(r"(?i)convolution(al)?", "conv", text),
        lambda: re.sub(r"\b([A-Za-z]{4})[a-z]{3,}\b", r"\1", text),
        lambda: _without_a_word(text, random),
    )
    (way,) = random.choices(ways, weights=(35, 6, 4, 10, 5, 8, 5, 5, 5, 8))
    return way()


def _without_a_word(text: str, random: Random) -> str:
    words = text.split()
    if len(words) < 5:
        return text.rstrip(".")
    dropped = random.randrange(len(words))
    return " ".join(word for place, word in enumerate(words) if place != dropped)
