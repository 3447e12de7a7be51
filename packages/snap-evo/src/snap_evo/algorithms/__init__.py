"""Search algorithms: each proposes cells and learns from their values."""

from collections.abc import Mapping

from snap_catalog import SnapError
from snap_graphs import Space

from snap_evo.algorithms.base import Algorithm, Floats
from snap_evo.algorithms.cell_edits import LocalSearch, RegularisedEvolution
from snap_evo.algorithms.pymoo_solvers import DifferentialEvolution, Nsga2
from snap_evo.algorithms.random_and_exhaustive import Exhaustive, RandomSearch

__all__ = ["ALGORITHMS", "MANY_OBJECTIVES", "Algorithm", "Floats", "start"]

ALGORITHMS: Mapping[str, type[Algorithm]] = {
    "de": DifferentialEvolution,
    "re": RegularisedEvolution,
    "ls": LocalSearch,
    "nsga2": Nsga2,
    "random": RandomSearch,
    "exhaustive": Exhaustive,
    # Add a search algorithm here: a class of `Algorithm` in a module of this folder. Test it in
    # test_algorithms.py, which runs through this list, and describe it in the README's table.
}
MANY_OBJECTIVES = tuple(name for name, kind in ALGORITHMS.items() if kind.many_objectives)
"""The algorithms that accept more than one objective."""


def start(name: str, space: Space, seed: int, objectives: int = 1) -> Algorithm:
    """Start a search algorithm.

    Raises:
        SnapError: no algorithm has that name, or it accepts one objective only.
    """
    if name not in ALGORITHMS:
        raise SnapError(f"unknown algorithm {name!r}; known are {', '.join(ALGORITHMS)}")
    if objectives > 1 and name not in MANY_OBJECTIVES:
        raise SnapError(
            f"the algorithm {name!r} accepts one objective, not {objectives}; "
            f"use {', '.join(MANY_OBJECTIVES)}"
        )
    return ALGORITHMS[name](space, seed, objectives)
