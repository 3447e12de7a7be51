from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError, extras
from snap_catalog.catalog import Direction
from snap_evo import load_scorer
from snap_evo.costs import cell_graphs
from snap_evo.measuring.interfaces import Observations, Proposer
from snap_evo.measuring.proposers import PROPOSERS, Start, start_proposer
from snap_evo.measuring.proposers.pool import Feasible, functions
from snap_evo.measuring.table_space import TableSpace
from snap_evo.objectives import Floats, Limit
from snap_graphs import Space, space
from snap_graphs.spaces import ProductSpace

NB201 = space("nb201")
assert isinstance(NB201, ProductSpace)
TOY = TableSpace(NB201, NB201.sample(300, 0))
"""Some NAS-Bench-201 cells."""
NONE = cell_graphs(TOY, None, [])
WEIGHTS = {"nor_conv_3x3": 3.0, "nor_conv_1x1": 2.0, "skip_connect": 1.5, "avg_pool_3x3": 0.5}

Values = Callable[[pa.Table], Floats]


def quality(graphs: pa.Table) -> Floats:
    """What the toy space's cells are worth: the more of better operators in early places."""
    return np.array(
        [
            sum(WEIGHTS.get(node, 0.0) / (2 + place) for place, node in enumerate(nodes))
            for nodes in graphs["nodes"].to_pylist()
        ]
    )


def begin(
    algorithm: str, search_space: Space = TOY, seed: int = 0, limits: Sequence[Limit] = ()
) -> Proposer:
    feasible = Feasible(search_space, tuple(limits))
    return start_proposer(algorithm, Start(feasible, load_scorer("params"), "counts", seed))


def known(
    graphs: pa.Table,
    values: Values = quality,
    direction: Direction = "max",
    pending: pa.Table = NONE,
) -> Observations:
    return Observations(graphs, values(graphs), direction, pending)


def searched(proposer: Proposer, count: int, values: Values = quality) -> Iterator[pa.Table]:
    """Yield what is measured, one after another."""
    graphs = NONE
    for _ in range(count):
        proposed = proposer.propose(known(graphs, values), 1)
        if not proposed.num_rows:
            return
        graphs = pa.concat_tables([graphs, proposed])
        yield proposed


def turns(algorithm: str, seed: int, most: int) -> int:
    """Return after how many measurements one of the best of the toy space is found."""
    every = cell_graphs(TOY, None, list(TOY.enumerate()))
    good = np.sort(quality(every))[-3]
    found = searched(begin(algorithm, seed=seed), most)
    return next((turn for turn, row in enumerate(found, 1) if quality(row)[0] >= good), most)


@pytest.mark.parametrize("algorithm", PROPOSERS)
def test_nothing_is_proposed_twice_nor_beyond_a_limit(algorithm: str) -> None:
    limit = Limit("params", most=600_000)
    proposer = begin(algorithm, limits=[limit])
    measured, waiting = NONE, NONE
    for _ in range(12):
        proposed = proposer.propose(known(measured, pending=waiting), 3)
        assert proposed.num_rows == 3
        measured, waiting = pa.concat_tables([measured, waiting]), proposed
    measured = pa.concat_tables([measured, waiting])
    assert len(set(functions(measured))) == 36
    assert (limit.excess(limit.values(measured)) == 0).all()


@pytest.mark.parametrize("algorithm", PROPOSERS)
def test_another_process_goes_on_with_the_same_proposals(algorithm: str) -> None:
    proposer = begin(algorithm, seed=3)
    rows = [*searched(proposer, 14)]
    measured = pa.concat_tables(rows[:11])
    later = begin(algorithm, seed=3).propose(known(measured), 1)
    assert later["arch_id"].to_pylist() == rows[11]["arch_id"].to_pylist()


@pytest.mark.parametrize("algorithm", PROPOSERS)
def test_the_seed_decides_what_is_proposed(algorithm: str) -> None:
    picked = [
        pa.concat_tables([*searched(begin(algorithm, seed=seed), 5)])["arch_id"].to_pylist()
        for seed in (0, 0, 1)
    ]
    assert picked[0] == picked[1] != picked[2]


@pytest.mark.parametrize("algorithm", PROPOSERS)
def test_a_space_is_measured_to_its_end(algorithm: str) -> None:
    few = TableSpace(NB201, NB201.sample(12, 0))  # type: ignore[arg-type]
    distinct = set(functions(cell_graphs(few, None, list(few.enumerate()))))
    rows = pa.concat_tables([*searched(begin(algorithm, few), 100)])
    assert sorted(functions(rows)) == sorted(distinct)


@pytest.mark.parametrize("algorithm", PROPOSERS)
def test_what_failed_is_not_proposed_again(algorithm: str) -> None:
    def failing(graphs: pa.Table) -> Floats:
        values = quality(graphs)
        return np.where(values > np.median(values), np.nan, values) if len(values) else values

    rows = pa.concat_tables([*searched(begin(algorithm), 20, failing)])
    assert len(set(functions(rows))) == 20
    every = pa.concat_tables(
        [*searched(begin(algorithm), 8, lambda graphs: np.full(graphs.num_rows, np.nan))]
    )
    assert len(set(functions(every))) == 8


@pytest.mark.parametrize("algorithm", ["surrogate", "gp", "ls", "tpe"])
def test_less_is_better_where_the_metric_says_so(algorithm: str) -> None:
    rows = pa.concat_tables([*searched(begin(algorithm), 15)])
    later = begin(algorithm).propose(known(rows), 3)
    turned = begin(algorithm).propose(known(rows, lambda graphs: -quality(graphs), "min"), 3)
    assert turned["arch_id"].to_pylist() == later["arch_id"].to_pylist()


@pytest.mark.parametrize(
    ("algorithm", "seeds", "most"),
    [("surrogate", 3, 30), ("gp", 3, 30), ("ls", 10, 300), ("re", 10, 300), ("tpe", 3, 60)],
)
def test_algorithms_that_learn_find_good_cells_sooner_than_chance(
    algorithm: str, seeds: int, most: int
) -> None:
    """Chance finds one of the 3 best of about 300 cells after 75 measurements in the mean."""
    assert np.mean([turns(algorithm, seed, most) for seed in range(seeds)]) < 55


def test_the_first_cell_is_the_best_by_score_and_the_next_ones_are_near_the_top() -> None:
    graphs = cell_graphs(TOY, None, list(TOY.enumerate()))
    proposed = begin("surrogate").propose(known(NONE), 4)
    assert proposed["params"][0].as_py() == max(graphs["params"].to_pylist())
    assert len(set(functions(proposed))) == 4


def test_cells_that_compute_the_same_are_measured_once() -> None:
    texts = [f"|{a}~0|+|none~0|none~1|+|none~0|{b}~1|none~2|" for a, b in TWINS]
    twins = TableSpace(NB201, [NB201.read(text) for text in texts])  # type: ignore[arg-type]
    assert begin("surrogate", twins).propose(known(NONE), 5).num_rows == 1


TWINS = [("nor_conv_3x3", "skip_connect"), ("skip_connect", "nor_conv_3x3")]


@pytest.mark.parametrize("algorithm", ["surrogate", "re", "tpe"])
def test_a_space_too_large_to_be_listed_is_searched(algorithm: str) -> None:
    darts = space("darts")
    assert not Feasible(darts).is_listed
    limit = Limit("params", most=3e6)
    first = begin(algorithm, darts, limits=[limit]).propose(
        Observations(
            cell_graphs(darts, None, []), np.empty(0), "max", cell_graphs(darts, None, [])
        ),
        6,
    )
    values = first["flops"].to_numpy().astype(np.float64)
    later = [
        begin(algorithm, darts, limits=[limit]).propose(
            Observations(first, values, "max", first.slice(0, 0)), 2
        )
        for _ in range(2)
    ]
    assert later[0].equals(later[1])
    every = pa.concat_tables([first, later[0]])
    assert len(set(functions(every))) == 8
    assert (limit.excess(limit.values(every)) == 0).all()


def test_limits_that_no_cell_keeps_are_named() -> None:
    with pytest.raises(SnapError, match=r"no cell of nb201 keeps to params <= 10; widen"):
        begin("surrogate", limits=[Limit("params", most=10)])


def test_an_unknown_algorithm_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match=r"no algorithm 'de' proposes .*surrogate, random, re, ls"):
        begin("de")


@pytest.mark.parametrize(
    ("algorithm", "extra"), [("tpe", r"snap-evo\[tpe\]"), ("gp", r"snap-evo\[counts\]")]
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, algorithm: str, extra: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda package: None)
    with pytest.raises(SnapError, match=f"run: pip install '{extra}'"):
        begin(algorithm, TableSpace(NB201, NB201.sample(2, 0)))  # type: ignore[arg-type]


def test_other_cells_of_the_space_stand_for_the_nearest_of_a_table() -> None:
    cells = list(TOY.enumerate())
    for cell in cells[:20]:
        assert TOY.compose(TOY.choices(cell)) == cell
        near = list(TOY.neighbours(cell))
        assert cell not in near
        assert len(near) >= 20
        assert TOY.mutate(cell, np.random.default_rng(0)) in near
    assert TOY.decode(np.zeros(TOY.n_variables)) in cells
    assert (TOY.count(), TOY.name) == (300, "nb201")
