import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.replacement import ImprovementReplacement
from snap_catalog import SnapError
from snap_evo.algorithms import ALGORITHMS, MANY_OBJECTIVES, Floats, start
from snap_evo.algorithms.pymoo_differential import Replacement
from snap_graphs import Cell, space
from snap_graphs.spaces.nb201 import NasBench201

LEARNING = ("de", "re", "ls", "nsga2")
SPACE = NasBench201()
BEST = (3, 1, 4, 2, 3, 0)
"""Six operators, by their place in the space."""


def alike(cell: Cell) -> int:
    """Count the operators that are in their place."""
    pairs = zip(SPACE.compose(BEST).nodes, cell.nodes, strict=True)
    return sum(a == b for a, b in pairs) - 2


def climb(algorithm: str, seed: int, generations: int) -> list[Cell]:
    """Search for the cell that has every operator in its place; return all proposed."""
    solver = start(algorithm, SPACE, seed)
    cells: list[Cell] = []
    for _ in range(generations):
        asked = solver.ask()
        solver.tell(_worth(asked), np.zeros(len(asked)))
        cells += asked
    return cells


def _worth(cells: list[Cell]) -> Floats:
    return np.array([[float(alike(cell))] for cell in cells])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_proposed_are_cells_of_the_space(algorithm: str, seed: int) -> None:
    for cell in climb(algorithm, seed, generations=4):
        assert SPACE.parse(SPACE.format(cell)) == cell


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "exhaustive"])
def test_equal_seeds_propose_equal_cells(algorithm: str) -> None:
    first, again, other = (climb(algorithm, seed, 5) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("algorithm", LEARNING)
def test_what_is_learnt_makes_later_cells_better(algorithm: str) -> None:
    cells = climb(algorithm, 0, generations=60)
    worth = _worth(cells)[:, 0]
    drawn = _worth(climb("random", 0, generations=10)).mean()
    assert worth.max() == 6
    assert worth[len(worth) // 2 :].mean() > drawn + 1


@pytest.mark.parametrize("algorithm", LEARNING)
def test_numpys_global_seed_is_ignored(algorithm: str) -> None:
    np.random.seed(1)
    first = climb(algorithm, 0, 5)
    np.random.seed(2)
    assert climb(algorithm, 0, 5) == first


@pytest.mark.parametrize("algorithm", LEARNING)
def test_cells_beyond_the_limits_are_left_behind(algorithm: str) -> None:
    solver = start(algorithm, SPACE, 0)
    beyond = []
    for _ in range(40):
        cells = solver.ask()
        excess = np.array([max(0.0, cell.nodes.count("nor_conv_3x3") - 1.0) for cell in cells])
        values = np.where(excess[:, None] > 0, -np.inf, _worth(cells))
        solver.tell(values, excess)
        beyond.append(float((excess > 0).mean()))
    assert np.mean(beyond[-10:]) < 0.35


def test_a_parent_stays_when_its_child_is_worse() -> None:
    solver = start("de", SPACE, 0)
    parents = solver.ask()
    solver.tell(np.ones((len(parents), 1)), np.zeros(len(parents)))
    for _ in range(5):
        children = solver.ask()
        solver.tell(np.zeros((len(children), 1)), np.zeros(len(children)))
        shared = [
            sum(a == b for a, b in zip(child.nodes, parent.nodes, strict=True)) - 2
            for child, parent in zip(children, parents, strict=True)
        ]
        # Crossover leaves operators of the parents; survivors among the children would not.
        assert np.mean(shared) > 2


@given(
    points=arrays(np.float64, (2, 8, 2), elements=st.sampled_from([0.0, 0.5, 1.0])),
    worth=arrays(np.float64, (2, 8), elements=st.sampled_from([0.0, 1.0, np.inf])),
    excess=arrays(np.float64, (2, 8), elements=st.sampled_from([0.0, 1.0, 2.0])),
)
def test_children_replace_the_parents_that_they_replace_in_pymoo(
    points: Floats, worth: Floats, excess: Floats
) -> None:
    cube = Problem(n_var=2, n_obj=1, n_ieq_constr=1, xl=0.0, xu=1.0)
    parents, children = (
        Population.new(X=x, F=f[:, None], G=g[:, None])
        for x, f, g in zip(points, worth, excess, strict=True)
    )
    ours, theirs = (
        survival.do(cube, parents, children, return_indices=True)
        for survival in (Replacement(), ImprovementReplacement())
    )
    assert ours.tolist() == theirs.tolist()


def test_differential_evolution_imports_no_scipy() -> None:
    code = """
import sys
import numpy as np
from snap_evo.algorithms import start
from snap_graphs import space
solver = start("de", space("nb201"), 0)
for _ in range(3):
    cells = solver.ask()
    solver.tell(np.arange(len(cells), dtype=float)[:, None], np.zeros(len(cells)))
print("scipy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_oldest_member_dies_however_good_it_is() -> None:
    solver = start("re", SPACE, 0)
    first = solver.ask()
    solver.tell(np.full((len(first), 1), 9.0), np.zeros(len(first)))
    for _ in range(5):
        children = solver.ask()
        solver.tell(np.zeros((len(children), 1)), np.zeros(len(children)))
    parents = solver.ask()
    near = {cell for child in children for cell in SPACE.neighbours(child)}
    assert any(cell in near for cell in parents)


def test_local_search_restarts_if_no_neighbour_is_better() -> None:
    solver = start("ls", SPACE, 0)
    sizes = []
    for _ in range(8):
        cells = solver.ask()
        sizes.append(len(cells))
        solver.tell(np.zeros((len(cells), 1)), np.zeros(len(cells)))
    assert sizes == [1, 10, 10, 4, 1, 10, 10, 4]


def test_exhaustive_search_proposes_every_cell_once_and_ends() -> None:
    solver = start("exhaustive", SPACE, 0)
    cells = []
    while asked := solver.ask():
        cells += asked
    assert len(cells) == len(set(cells)) == 15_625


def test_a_space_too_large_to_list_is_not_searched_exhaustively() -> None:
    with pytest.raises(SnapError, match="darts is too large to list"):
        start("exhaustive", space("darts"), 0)


def test_an_unknown_algorithm_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match="unknown algorithm 'swarm'; known are de, re, ls, nsga2"):
        start("swarm", SPACE, 0)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS.keys() - set(MANY_OBJECTIVES)))
def test_one_objective_is_all_that_some_algorithms_know(algorithm: str) -> None:
    with pytest.raises(SnapError, match="accepts one objective, not 2; use nsga2, random"):
        start(algorithm, SPACE, 0, objectives=2)
