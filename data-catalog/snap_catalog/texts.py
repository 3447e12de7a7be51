"""The corpus: many descriptions of each operator, to tune an encoder on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from string import Formatter
from typing import Any, Literal

from snap_catalog.catalog import entries

Split = Literal["train", "validate", "test"]


@dataclass(frozen=True)
class Term:
    """One operator of the corpus.

    Attributes:
        name: a class of `torch.nn`, or the name in neural architecture search.
        category: the purpose of the operator (`pooling`).
        kind: a finer group within the category (`max pooling`).
        split: its allowed use; descriptions of test terms are never used in training.
        torch: whether it is a class of `torch.nn`.
        settings: the values that each setting takes in the descriptions (`kernel`: 1, 3, 5, 7).
        descriptions: texts that may contain placeholders (`{kernel}x{kernel} pooling`).
    """

    name: str
    category: str
    kind: str
    split: Split
    descriptions: tuple[str, ...]
    torch: bool = False
    settings: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)

    def examples(self) -> Iterator[tuple[Mapping[str, int], str]]:
        """Yield every description with every combination of the settings it mentions.

        Yields:
            the settings that the description mentions, and the text with their values.
        """
        for text in self.descriptions:
            names = mentioned(text)
            for values in product(*(self.settings[name] for name in names)):
                chosen = dict(zip(names, values, strict=True))
                yield chosen, text.format_map(chosen)


def mentioned(description: str) -> tuple[str, ...]:
    """Return the settings with a placeholder in a description, in order, without repeats."""
    return tuple(dict.fromkeys(name for _, name, _, _ in Formatter().parse(description) if name))


def _term(category: str, name: str, entry: Mapping[str, Any]) -> Term:
    fields = dict(entry)
    settings = {key: tuple(values) for key, values in fields.pop("settings", {}).items()}
    descriptions = tuple(fields.pop("descriptions"))
    return Term(
        name=name, category=category, settings=settings, descriptions=descriptions, **fields
    )


@cache
def corpus() -> Mapping[str, Term]:
    """Return every operator of the corpus by name, category by category."""
    return {
        name: _term(category, name, entry)
        for category, terms in entries("corpus").items()
        for name, entry in terms.items()
    }
