import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_evo.algorithms import ALGORITHMS, Floats, start


def minimise_distance(algorithm: str, seed: int, generations: int) -> tuple[Floats, float]:
    """Search for the centre of a six-dimensional cube; return all points and the best distance."""
    solver = start(algorithm, 6, seed)
    points = []
    for _ in range(generations):
        points.append(solver.ask())
        solver.tell(-_distance(points[-1]))
    return np.concatenate(points), float(_distance(np.concatenate(points)).min())


def _distance(points: Floats) -> Floats:
    distance: Floats = np.abs(points - 0.5).max(axis=1)
    return distance


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_points_stay_in_the_unit_cube(algorithm: str, seed: int) -> None:
    points, _ = minimise_distance(algorithm, seed, generations=8)
    assert points.shape[1] == 6
    assert points.min() >= 0.0
    assert points.max() <= 1.0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_equal_seeds_propose_equal_points(algorithm: str) -> None:
    first, again, other = (minimise_distance(algorithm, s, 5)[0] for s in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_evolution_converges_where_random_search_does_not() -> None:
    _, evolved = minimise_distance("de", 0, generations=100)
    _, drawn = minimise_distance("random", 0, generations=4)
    assert evolved < 0.02 < drawn


def test_evolution_ignores_numpys_global_seed() -> None:
    np.random.seed(1)
    first = minimise_distance("de", 0, 5)[0]
    np.random.seed(2)
    assert (minimise_distance("de", 0, 5)[0] == first).all()


def test_a_parent_stays_when_its_child_is_worse() -> None:
    solver = start("de", 3, 0)
    parents = solver.ask()
    solver.tell(np.ones(len(parents)))
    for _ in range(5):
        children = solver.ask()
        solver.tell(np.zeros(len(children)))
        # Crossover leaves coordinates of the parents; a survivor among the children would not.
        assert (children == parents).any(axis=1).mean() > 0.5


def test_an_unknown_algorithm_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match="unknown algorithm 'swarm'; known are de, random"):
        start("swarm", 6, 0)
