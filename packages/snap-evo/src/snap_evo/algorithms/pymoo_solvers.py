"""Evolution of points of the unit cube, which the space decodes into cells; through pymoo."""

from typing import Any

from snap_graphs import Cell, Space

from snap_evo.algorithms.base import Algorithm, Floats

_POPULATION = 20
_DIFFERENTIAL_WEIGHT = 0.5
_CROSSOVER_RATE = 0.5
_FRONT_POPULATION = 50


class _Points(Algorithm):
    """Decodes the points of a pymoo algorithm, and returns it the values of the cells."""

    def _setup(self, solver: Any, space: Space, seed: int, objectives: int) -> None:
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination

        cube = Problem(n_var=space.n_variables, n_obj=objectives, n_ieq_constr=1, xl=0.0, xu=1.0)
        self._solver = solver.setup(cube, seed=seed, termination=NoTermination())
        self._space = space
        self._asked: Any = None

    def ask(self) -> list[Cell]:
        """Return the first population, later the children."""
        self._asked = self._solver.ask()
        return [self._space.decode(point) for point in self._asked.get("X")]

    def tell(self, values: Floats, excess: Floats) -> None:
        """Let the better survive; a cell within the limits beats any beyond them."""
        self._asked.set("F", -values)
        self._asked.set("G", excess[:, None])
        self._solver.tell(infills=self._asked)


class DifferentialEvolution(_Points):
    """DE/rand/1/bin, the paper's search (Algorithm 1).

    Mutation adds the scaled difference of two random members to a third, binomial crossover mixes
    the result with the parent, and the better of parent and child survives. A coordinate that
    leaves [0, 1] is drawn again between its base and the bound. The paper does not state the
    population (here 20), the differential weight (0.5) and the crossover rate (0.5): of the values
    tried on NAS-Bench-201's CIFAR-10 test accuracy, these found the best cell first.
    """

    def __init__(self, space: Space, seed: int, objectives: int) -> None:
        from snap_evo.algorithms import pymoo_differential

        solver = pymoo_differential.DifferentialEvolution(
            pop_size=_POPULATION,
            variant="DE/rand/1/bin",
            F=_DIFFERENTIAL_WEIGHT,
            CR=_CROSSOVER_RATE,
            prob_mut=0.0,
        )
        self._setup(solver, space, seed, objectives)


class Nsga2(_Points):
    """NSGA-II (Deb et al., 2002): survival by front and crowding, for several objectives."""

    many_objectives = True

    def __init__(self, space: Space, seed: int, objectives: int) -> None:
        from pymoo.algorithms.moo.nsga2 import NSGA2

        self._setup(NSGA2(pop_size=_FRONT_POPULATION), space, seed, objectives)
