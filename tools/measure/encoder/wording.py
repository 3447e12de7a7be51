"""Descriptions put in other words, misspelt, padded, or wrong."""

import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

Texts = Mapping[str, str]
"""Operator name -> its description."""

WRITTEN = ("perturbed", "fresh")
"""Files of wordings next to this one: those the reader was developed with, and new ones."""

ENDS = ("input", "output")


def wordings(
    texts: Texts, draws: int, *, ends: bool = True, written: str = WRITTEN[0]
) -> dict[str, list[Texts]]:
    """Return every variant of the descriptions of one search space, by kind.

    Args:
        texts: the descriptions as they should be.
        draws: how often a kind that chance has a hand in is drawn.
        ends: whether the input and the output of a cell are described otherwise too.
        written: one of `WRITTEN`, the file of the wordings that people chose.
    """
    chosen = {op: text for op, text in texts.items() if ends or op not in ENDS}
    return {
        kind: [{**texts, **variant} for variant in variants]
        for kind, variants in _variants(chosen, draws, written).items()
    }


def _variants(texts: Texts, draws: int, written: str) -> dict[str, list[Texts]]:
    random = Random(0)
    kinds = {
        kind: list(_spoken(texts, variants))
        for kind, variants in _written_texts(written).items()
        if variants.keys() >= texts.keys()
    }
    for edits in (1, 2, 3):
        kinds[f"misspelt, {edits} edit{'s' * (edits > 1)}"] = [
            {op: misspelt(text, edits, random) for op, text in texts.items()} for _ in range(draws)
        ]
    others = [_irrelevant(texts, random) for _ in range(draws)]
    kinds["padded"] = [{op: f"{texts[op]}. {other[op]}" for op in texts} for other in others]
    kinds["wrong: labels permuted"] = _permuted(texts, random)
    kinds["wrong: random sentences"] = others
    kinds["wrong: empty"] = [dict.fromkeys(texts, "")]
    return kinds


def misspelt(text: str, edits: int, random: Random) -> str:
    """Insert, delete, replace or swap a character at a random place, several times.

    A single edit that changes nothing, such as swapping two equal characters, is drawn again.
    """
    for _ in range(edits):
        before = text
        while text == before:
            text = _edited(before, random)
    return text


def _edited(text: str, random: Random) -> str:
    i = random.randrange(len(text)) if text else 0
    letter = random.choice(string.ascii_lowercase)
    if not text:
        return letter
    edit = random.choice(("insert", "delete", "replace", "swap"))
    if edit == "insert":
        return text[:i] + letter + text[i:]
    if edit == "delete":
        return text[:i] + text[i + 1 :]
    if edit == "replace":
        return text[:i] + letter + text[i + 1 :]
    return text[:i] + text[i : i + 2][::-1] + text[i + 2 :]


def derangements(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield every order of the names that leaves none in its place."""
    for order in permutations(names):
        if all(a != b for a, b in zip(names, order, strict=True)):
            yield order


def _permuted(texts: Texts, random: Random, most: int = 44) -> list[Texts]:
    """Give every operator another one's text; of five operators there are 44 ways."""
    names = [op for op in texts if op not in ENDS]
    orders = list(derangements(names))
    return [
        {**texts, **{op: texts[other] for op, other in zip(names, order, strict=True)}}
        for order in random.sample(orders, min(most, len(orders)))
    ]


def _spoken(texts: Texts, variants: Mapping[str, Sequence[str]]) -> Iterator[Texts]:
    """Yield the variants of a space: the first texts of its operators, the second, and so on."""
    for column in zip(*(variants[op] for op in texts), strict=True):
        yield dict(zip(texts, column, strict=True))


def _irrelevant(texts: Texts, random: Random) -> Texts:
    sentences: list[str] = _written_texts(WRITTEN[0])["irrelevant"]["sentences"]
    return dict(zip(texts, random.sample(sentences, len(texts)), strict=True))


@cache
def _written_texts(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8"))
