"""Algorithms that learn nothing: random search, and the whole space."""

from itertools import islice

import numpy as np
from snap_graphs import Cell, Space

from snap_evo.algorithms.base import Algorithm, Floats

_AT_A_TIME = 100
_LISTED_AT_A_TIME = 2000


class RandomSearch(Algorithm):
    """Draws native strings uniformly, with replacement."""

    many_objectives = True

    def __init__(self, space: Space, seed: int, objectives: int) -> None:
        self._space = space
        self._random = np.random.default_rng(seed)

    def ask(self) -> list[Cell]:
        """Return 100 cells."""
        return self._space.sample(_AT_A_TIME, seed=self._random)

    def tell(self, values: Floats, excess: Floats) -> None:
        """Learn nothing."""


class Exhaustive(Algorithm):
    """Proposes every cell of the space once, in the space's order.

    Raises:
        SnapError: the space is too large to be listed.
    """

    many_objectives = True

    def __init__(self, space: Space, seed: int, objectives: int) -> None:
        self._cells = space.enumerate()

    def ask(self) -> list[Cell]:
        """Return the next cells of the list."""
        return list(islice(self._cells, _LISTED_AT_A_TIME))

    def tell(self, values: Floats, excess: Floats) -> None:
        """Learn nothing."""
