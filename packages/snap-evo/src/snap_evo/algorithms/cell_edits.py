"""Algorithms that edit cells: regularised evolution and local search."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from snap_graphs import Cell, Space

from snap_evo.algorithms.base import Algorithm, Floats

_POPULATION = 50
_TOURNAMENT = 10
_CHILDREN = 10
_NEIGHBOURS = 10


class _Member(NamedTuple):
    """A cell, and its negated excess and objective: of two members the greater pair is better."""

    cell: Cell
    oriented: tuple[float, float]


def _members(cells: Sequence[Cell], values: Floats, excess: Floats) -> list[_Member]:
    pairs = zip((-excess).tolist(), values[:, 0].tolist(), strict=True)
    return [_Member(cell, pair) for cell, pair in zip(cells, pairs, strict=True)]


def _best(members: Sequence[_Member]) -> _Member:
    return max(members, key=lambda member: member.oriented)


class RegularisedEvolution(Algorithm):
    """Ageing evolution (Real et al., 2019): the oldest member dies, not the worst.

    The parent of every child is the best of 10 members drawn from the population of 50, and the
    child is one edit away from it. Ten children are made and scored together before any of them
    joins the population.
    """

    def __init__(self, space: Space, seed: int, objectives: int) -> None:
        self._space = space
        self._random = np.random.default_rng(seed)
        self._population: deque[_Member] = deque(maxlen=_POPULATION)
        self._asked: list[Cell] = []

    def ask(self) -> list[Cell]:
        """Return the first population, later ten children."""
        if self._population:
            self._asked = [self._child() for _ in range(_CHILDREN)]
        else:
            self._asked = self._space.sample(_POPULATION, seed=self._random)
        return self._asked

    def tell(self, values: Floats, excess: Floats) -> None:
        """Replace the oldest members by the children."""
        self._population += _members(self._asked, values, excess)

    def _child(self) -> Cell:
        drawn = self._random.choice(len(self._population), _TOURNAMENT, replace=False)
        parent = _best([self._population[i] for i in drawn])
        return self._space.mutate(parent.cell, self._random)


class LocalSearch(Algorithm):
    """Hill climbing with restarts (White et al., 2021).

    Neighbours of the present cell are tried in random order, ten at a time. If the best of ten is
    better than the present cell, it replaces it. If no neighbour is, the climb restarts from a
    random cell.
    """

    def __init__(self, space: Space, seed: int, objectives: int) -> None:
        self._space = space
        self._random = np.random.default_rng(seed)
        self._present: _Member | None = None
        self._untried: list[Cell] = []
        self._asked: list[Cell] = []

    def ask(self) -> list[Cell]:
        """Return a random cell, or the next neighbours of the present one."""
        if not self._untried:
            self._present = None
            self._asked = self._space.sample(1, seed=self._random)
        else:
            self._asked = self._untried[:_NEIGHBOURS]
            self._untried = self._untried[_NEIGHBOURS:]
        return self._asked

    def tell(self, values: Floats, excess: Floats) -> None:
        """Move to the best neighbour if it is better."""
        found = _best(_members(self._asked, values, excess))
        if self._present is None or found.oriented > self._present.oriented:
            self._present = found
            near = list(self._space.neighbours(found.cell))
            self._untried = [near[i] for i in self._random.permutation(len(near))]
