"""Search algorithms that propose points of the unit cube and learn from their scores."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

Floats = npt.NDArray[np.float64]

_POPULATION = 20
_DIFFERENTIAL_WEIGHT = 0.5
_CROSSOVER_RATE = 0.5
_RANDOM_BATCH = 500


class Algorithm(Protocol):
    """Proposes points, generation by generation."""

    def ask(self) -> Floats:
        """Return (k, n_variables) points of [0, 1]: the next generation."""

    def tell(self, scores: Floats) -> None:
        """Learn the (k,) scores of the points last asked for; higher is better."""


class RandomSearch:
    """Draws every point uniformly."""

    def __init__(self, n_variables: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._n_variables = n_variables

    def ask(self) -> Floats:
        """Return a batch of points; the batch means nothing."""
        return self._random.random((_RANDOM_BATCH, self._n_variables))

    def tell(self, scores: Floats) -> None:
        """Learn nothing."""


class DifferentialEvolution:
    """DE/rand/1/bin, the paper's search (Algorithm 1).

    Mutation adds the scaled difference of two random members to a third, binomial crossover mixes
    the outcome with the parent, and the better of parent and child survives. A coordinate that
    leaves [0, 1] is drawn anew between its base and the bound. The paper leaves open the
    population (20 here), differential weight (0.5) and crossover rate (0.5): of those tried on
    NAS-Bench-201's CIFAR-10 test accuracy, these came to the best cell soonest.
    """

    def __init__(self, n_variables: int, seed: int) -> None:
        from pymoo.algorithms.soo.nonconvex.de import DE
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination

        self._solver: Any = DE(
            pop_size=_POPULATION,
            variant="DE/rand/1/bin",
            F=_DIFFERENTIAL_WEIGHT,
            CR=_CROSSOVER_RATE,
            prob_mut=0.0,
        )
        cube = Problem(n_var=n_variables, n_obj=1, xl=0.0, xu=1.0)
        self._solver.setup(cube, seed=seed, termination=NoTermination())
        self._asked: Any = None

    def ask(self) -> Floats:
        """Return the first population, later one child a member."""
        self._asked = self._solver.ask()
        points: Floats = self._asked.get("X")
        return points

    def tell(self, scores: Floats) -> None:
        """Let the better of each parent and child survive."""
        self._asked.set("F", -scores[:, None])
        self._solver.tell(infills=self._asked)


ALGORITHMS: Mapping[str, Callable[[int, int], Algorithm]] = {
    "de": DifferentialEvolution,
    "random": RandomSearch,
}
"""By name: what makes an algorithm from the number of variables and a seed."""


def start(name: str, n_variables: int, seed: int) -> Algorithm:
    """Start a search algorithm.

    Raises:
        SnapError: no algorithm has that name.
    """
    if name not in ALGORITHMS:
        raise SnapError(f"unknown algorithm {name!r}; known are {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name](n_variables, seed)
