"""What every search space keeps, whichever it is."""

import itertools
from collections import Counter

import numpy as np
import pytest
from snap_catalog import SnapError
from snap_graphs import Cell, graph_table, space
from snap_graphs.spaces import ProductSpace, spaces

SPACES = sorted(spaces())
ENUMERABLE = [name for name in SPACES if space(name).enumerable]


def some(name: str, n: int = 20, seed: int = 0) -> list[Cell]:
    return space(name).sample(n, seed=seed)


@pytest.mark.parametrize("name", SPACES)
def test_a_sampled_cell_comes_back_from_its_string_and_from_its_point(name: str) -> None:
    home = space(name)
    for cell in some(name):
        point = home.encode(cell)
        assert point.shape == (home.n_variables,)
        assert ((point >= 0) & (point <= 1)).all()
        assert home.decode(point) == cell
        assert home.parse(home.format(cell)) == cell


@pytest.mark.parametrize("name", SPACES)
def test_a_seed_fixes_the_sample(name: str) -> None:
    assert some(name, seed=1) == some(name, seed=1)
    assert some(name, seed=1) != some(name, seed=2)


@pytest.mark.parametrize("name", SPACES)
def test_a_generator_draws_as_its_seed_does_and_goes_on(name: str) -> None:
    rng = np.random.default_rng(1)
    first, second = (space(name).sample(n=20, seed=rng) for _ in range(2))
    assert first == some(name, seed=1)
    assert first != second


@pytest.mark.parametrize("name", SPACES)
def test_neighbours_are_other_cells_of_the_space_each_once(name: str) -> None:
    home = space(name)
    for cell in some(name, 3):
        near = list(itertools.islice(home.neighbours(cell), 200))
        strings = [home.format(other) for other in near]
        assert near
        assert home.format(cell) not in strings
        assert len(set(strings)) == len(strings)
        assert all(home.parse(string) == other for string, other in zip(strings, near, strict=True))


@pytest.mark.parametrize("name", SPACES)
def test_a_mutation_is_a_neighbour_and_seeded(name: str) -> None:
    home = space(name)
    (cell,) = some(name, 1)
    drawn = [home.mutate(cell, np.random.default_rng(seed)) for seed in (1, 1, 2, 3, 4)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1
    assert set(drawn) <= set(home.neighbours(cell))


@pytest.mark.parametrize("name", ["nb201", "transnas-micro", "natss"])
def test_mutations_reach_every_neighbour_equally_often(name: str) -> None:
    home, rng = space(name), np.random.default_rng(0)
    (cell,) = some(name, 1)
    near = list(home.neighbours(cell))
    drawn = Counter(home.mutate(cell, rng) for _ in range(200 * len(near)))
    assert drawn.keys() == set(near)
    assert min(drawn.values()) > 120
    assert max(drawn.values()) < 280


@pytest.mark.parametrize("name", ENUMERABLE)
def test_the_count_is_what_the_listing_yields(name: str) -> None:
    strings = {space(name).format(cell) for cell in space(name).enumerate()}
    assert len(strings) == space(name).count()


@pytest.mark.parametrize("name", [name for name in SPACES if space(name).count() > 10**6])
def test_a_space_too_large_to_list_says_so(name: str) -> None:
    with pytest.raises(SnapError, match="too large to list"):
        next(space(name).enumerate())


@pytest.mark.parametrize("name", SPACES)
def test_the_canonical_cell_is_of_the_same_class(name: str) -> None:
    cells = some(name)
    stand_ins = [space(name).canonical(cell) for cell in cells]
    names = [str(i) for i in range(len(cells))]
    tables = [graph_table("own", some, arch_ids=names) for some in (cells, stand_ins)]
    assert tables[0]["cell_hash"].equals(tables[1]["cell_hash"])


@pytest.mark.parametrize("name", [n for n in SPACES if isinstance(space(n), ProductSpace)])
def test_the_choices_of_a_cell_build_it(name: str) -> None:
    home = space(name)
    assert isinstance(home, ProductSpace)
    for cell in some(name):
        choices = home.choices(cell)
        assert home.compose(choices) == cell
        assert all(0 <= c < n for c, n in zip(choices, home.options, strict=True))


def test_samples_are_uniform_over_strings() -> None:
    """Every operator of every edge, 4,000 times each in 20,000 draws, give or take five sigma."""
    drawn = np.array([cell.nodes[1:-1] for cell in some("nb201", 20_000)])
    for edge in range(6):
        counts = np.unique(drawn[:, edge], return_counts=True)[1]
        assert len(counts) == 5
        assert np.abs(counts - 4_000).max() < 5 * np.sqrt(20_000 * 0.2 * 0.8)


def test_nb201_has_one_canonical_string_for_each_class() -> None:
    home = space("nb201")
    table = graph_table("nb201", list(home.enumerate()))
    canonical = [home.format(home.canonical(cell)) for cell in home.enumerate()]
    assert len(set(canonical)) == 8_765
    assert len(set(zip(canonical, table["cell_hash"].to_pylist(), strict=True))) == 8_765
    assert all(home.canonical(home.parse(s)) == home.parse(s) for s in sorted(set(canonical))[:200])


def test_nb101_samples_keep_the_benchmarks_limits() -> None:
    for cell in some("nb101", 300):
        assert len(cell.edges) <= 9
        assert {d for _, d in cell.edges} == set(range(1, len(cell.nodes)))
        assert {s for s, _ in cell.edges} == set(range(len(cell.nodes) - 1))


def test_nb101_mutations_reach_every_size() -> None:
    home, rng = space("nb101"), np.random.default_rng(0)
    cell, sizes = home.parse("2:1:"), set()
    for _ in range(400):
        cell = home.mutate(cell, rng)
        sizes.add(len(cell.nodes))
    assert sizes >= {3, 4, 5, 6, 7}


def test_an_nb101_edit_that_drops_no_vertex_can_be_undone() -> None:
    home = space("nb101")
    cell = home.parse("4:111101:3m")
    kept = [n for n in home.neighbours(cell) if len(n.nodes) >= len(cell.nodes)]
    assert len(kept) > 10
    assert all(cell in home.neighbours(other) for other in kept)
