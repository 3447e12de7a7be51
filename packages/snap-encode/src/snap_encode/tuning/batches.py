"""Draw batches in which every degree of similarity occurs."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from snap_encode.tuning.examples import Example
from snap_encode.tuning.recipe import Recipe

_T = TypeVar("_T")
_FILLINGS = 2
"""Choices of settings per operator in a batch."""


class Batches:
    """Draws batches that hold several categories, operators of each, and texts of each operator.

    The probability of a category is proportional to its number of operators; operators of a
    category are equally likely. The texts of an operator are different wordings, one half with one
    choice of settings, the other half with another.
    """

    def __init__(self, known: Sequence[Example], recipe: Recipe) -> None:
        """Group the examples to draw from; the recipe has the size of a batch."""
        self._recipe = recipe
        self._categories: dict[str, dict[str, list[Example]]] = {}
        for example in known:
            category = self._categories.setdefault(example.term.category, {})
            category.setdefault(example.term.name, []).append(example)

    def draw(self, random: np.random.Generator) -> list[Example]:
        """Return the texts of one batch."""
        names = list(self._categories)
        sizes = np.array([len(self._categories[name]) for name in names], float)
        count = min(self._recipe.categories, len(names))
        chosen = random.choice(names, count, replace=False, p=sizes / sizes.sum())
        return [
            example
            for category in chosen
            for operator in _some(list(self._categories[category]), self._recipe.classes, random)
            for example in self._texts(self._categories[category][operator], random)
        ]

    def _texts(self, examples: Sequence[Example], random: np.random.Generator) -> list[Example]:
        settings = examples[0].term.settings
        fillings = [
            {name: values[random.integers(len(values))] for name, values in settings.items()}
            for _ in range(_FILLINGS)
        ]
        wordings = _some(sorted({e.wording for e in examples}), self._recipe.texts, random)
        place = {wording: i % _FILLINGS for i, wording in enumerate(wordings)}
        return [
            e
            for e in examples
            if e.wording in place and e.settings.items() <= fillings[place[e.wording]].items()
        ]


def _some(items: Sequence[_T], most: int, random: np.random.Generator) -> list[_T]:
    return [items[i] for i in random.permutation(len(items))[:most]]
