"""pymoo's differential evolution without its comparison of points by SciPy, slow to import."""

from typing import Any

import numpy as np
from pymoo.algorithms.soo.nonconvex.de import DE
from pymoo.algorithms.soo.nonconvex.ga import FitnessSurvival
from pymoo.core.problem import Problem
from pymoo.core.replacement import ReplacementSurvival

from snap_evo.algorithms.base import Bools, Floats


class Replacement(ReplacementSurvival):  # type: ignore[misc]
    """Replaces a parent by its child if the child is better and equals no other point."""

    def _do(self, problem: Problem, pop: Any, off: Any) -> Bools:
        old_excess, old, parents = (pop.get(name) for name in ("CV", "F", "X"))
        excess, new, children = (off.get(name) for name in ("CV", "F", "X"))
        both_within = (excess == 0) & (old_excess == 0)
        better = (excess < old_excess) | (both_within & (new < old))
        repeated = _equal(children, parents).any(axis=1)
        repeated |= np.tril(_equal(children, children), k=-1).any(axis=1)
        replaced: Bools = better[:, 0] & ~repeated
        return replaced


def _equal(one: Floats, other: Floats) -> Bools:
    """Return (m, n) which of m points equal which of n others."""
    equal: Bools = (one[:, None] == other[None]).all(axis=2)
    return equal


class DifferentialEvolution(DE):  # type: ignore[misc]
    """Proposes and keeps the points that pymoo's class does."""

    def _advance(self, infills: Any = None, **kwargs: Any) -> None:
        index = infills.get("index")
        self.pop[index] = Replacement().do(self.problem, self.pop[index], infills)
        FitnessSurvival().do(self.problem, self.pop, return_indices=True)
