import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate
from snap_eval import (
    Measured,
    Scorer,
    Target,
    as_measured,
    as_scorer,
    combine,
    leave_one_out,
    spearman,
    targets,
)

Make = Callable[..., pa.Table]
ACCURACY = "cifar10/test/accuracy@200"
N = 300


@pytest.fixture
def benchmarks(make_graphs: Make) -> list[Measured]:
    """Three benchmarks of role `develop` or of none: accuracy is x + 2 y, x and y by cell."""
    return [as_measured(make_graphs(_names(b), {ACCURACY: _truth(b)}), b) for b in "abc"]


def _names(benchmark: str) -> list[str]:
    return [f"{benchmark}{i:03}" for i in range(N)]


def _parts(benchmark: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(ord(benchmark))
    return rng.normal(size=N), rng.normal(size=N)


def _truth(benchmark: str) -> np.ndarray:
    x, y = _parts(benchmark)
    truth: np.ndarray = x + 2 * y
    return truth


@pytest.fixture
def scorers(make_scores: Make) -> list[Scorer]:
    """`x`, `y`, `minus y` and `noise` over all benchmarks."""
    names = [name for b in "abc" for name in _names(b)]
    x = np.concatenate([_parts(b)[0] for b in "abc"])
    y = np.concatenate([_parts(b)[1] for b in "abc"])
    noise = np.random.default_rng(9).normal(size=3 * N)
    return [
        as_scorer(make_scores(names, values, metadata={"snap.scorer": name}))
        for name, values in {"x": x, "y": y, "minus y": -y, "noise": noise}.items()
    ]


def _rho(table: pa.Table, benchmark: Measured) -> float:
    score = as_scorer(table).place(benchmark).score
    return spearman(score, benchmark.oriented(ACCURACY))


def test_the_score_is_the_weighted_mean_of_ranks(
    benchmarks: list[Measured], scorers: list[Scorer]
) -> None:
    table = combine(scorers, [{"x": 1, "minus y": -3}], benchmarks[:1])
    validate(table, "scores")
    x, y = _parts("a")
    ranks = [(stats.rankdata(v) - 0.5) / N for v in (x, -y)]
    np.testing.assert_allclose(table["score"].to_numpy(), (ranks[0] - 3 * ranks[1]) / 4)
    entries = decode_metadata(table.schema)
    assert entries["snap.scorer"] == "combination"
    assert json.loads(entries["snap.weights"]) == {"a": {"x": 1, "minus y": -3}}


def test_two_halves_are_better_than_either(
    benchmarks: list[Measured], scorers: list[Scorer]
) -> None:
    both = combine(scorers, [{"x": 1, "minus y": -1}], benchmarks[:1])
    alone = combine(scorers, [{"minus y": -1}], benchmarks[:1])
    assert _rho(both, benchmarks[0]) > _rho(alone, benchmarks[0]) > 0.8


def test_weights_left_one_out_find_sizes_turn_no_scorer_round_and_serve_the_one_left_out(
    benchmarks: list[Measured], scorers: list[Scorer]
) -> None:
    weights = leave_one_out(scorers, targets(benchmarks), benchmarks)
    for chosen in weights:
        assert 1.5 < chosen["y"] / chosen["x"] < 2.5
        assert chosen["minus y"] == 0
        assert 0 <= chosen["noise"] < 0.1 * chosen["x"] + 0.1
    table = combine(scorers, weights, benchmarks)
    assert all(_rho(table, benchmark) > 0.95 for benchmark in benchmarks)


def test_weights_owe_nothing_to_the_benchmark_left_out(
    make_graphs: Make, benchmarks: list[Measured], scorers: list[Scorer]
) -> None:
    turned = as_measured(make_graphs(_names("a"), {ACCURACY: -_truth("a")}), "a")
    other = [turned, *benchmarks[1:]]
    before, after = (leave_one_out(scorers, targets(b), b) for b in (benchmarks, other))
    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("name", ["analog-nasbench"])
def test_nothing_is_fitted_on_a_test_benchmark(
    make_graphs: Make, benchmarks: list[Measured], scorers: list[Scorer], name: str
) -> None:
    graphs = make_graphs(_names("a"), {ACCURACY: _truth("a")})
    with_test = [as_measured(graphs, name, "a.parquet"), *benchmarks[1:]]
    with pytest.raises(SnapError, match=r"^a\.parquet: .* has the role 'test', and nothing may"):
        leave_one_out(scorers, targets(with_test), with_test)


def test_another_name_does_not_lift_the_role_test(
    make_graphs: Make, benchmarks: list[Measured], scorers: list[Scorer]
) -> None:
    graphs = make_graphs(_names("a"), {ACCURACY: _truth("a")})
    graphs = graphs.replace_schema_metadata(
        {**graphs.schema.metadata, b"snap.benchmark": b"analog-nasbench"}
    )
    renamed = [as_measured(graphs, "mine", "a.parquet"), *benchmarks[1:]]
    with pytest.raises(SnapError, match="has the role 'test', and nothing may"):
        leave_one_out(scorers, targets(renamed), renamed)


def test_weights_need_another_benchmark_with_the_metric_and_a_scorer_that_helps(
    make_graphs: Make, benchmarks: list[Measured], scorers: list[Scorer]
) -> None:
    two = benchmarks[:2]
    with pytest.raises(SnapError, match="no other benchmark has a value of the metrics"):
        leave_one_out(scorers, targets(two[:1]), two)
    empty = as_measured(make_graphs(_names("b"), {ACCURACY: [None] * N}), "b")
    mixed = [benchmarks[0], empty]
    with pytest.raises(SnapError, match="no other benchmark has a value of the metrics"):
        leave_one_out(scorers, targets(mixed), mixed)
    (against,) = (one for one in scorers if one.name == "minus y")
    with pytest.raises(SnapError, match="no scorer orders the other benchmarks"):
        leave_one_out([against], targets(two), two)


def test_a_cell_on_which_a_negated_scorer_failed_stays_last(
    make_graphs: Make, make_scores: Make
) -> None:
    benchmark = as_measured(make_graphs(list("abc"), {ACCURACY: [1, 2, 3]}), "few")
    cost = as_scorer(make_scores(list("abc"), [5, -1e8, 2], metadata={"snap.scorer": "cost"}))
    table = combine([cost], [{"cost": -1}], [benchmark])
    score = dict(zip(table["arch_id"].to_pylist(), table["score"].to_pylist(), strict=True))
    assert score["c"] > score["a"] > score["b"]


def test_one_benchmark_alone_cannot_be_left_out(
    benchmarks: list[Measured], scorers: list[Scorer]
) -> None:
    aims: list[Target] = targets(benchmarks[:1])
    with pytest.raises(SnapError, match="takes two or more benchmarks"):
        leave_one_out(scorers, aims, benchmarks[:1])


def test_benchmarks_of_the_same_cells_are_refused(
    make_graphs: Make, benchmarks: list[Measured], scorers: list[Scorer]
) -> None:
    twin = as_measured(make_graphs(_names("a"), {ACCURACY: _truth("a")}), "twin")
    for refused in ([benchmarks[0], twin],):
        with pytest.raises(SnapError, match="share 300 cells"):
            leave_one_out(scorers, targets(refused), refused)
        with pytest.raises(SnapError, match="share 300 cells"):
            combine(scorers, [{"x": 1}, {"x": 1}], refused)


@pytest.mark.parametrize(
    ("weights", "problem"),
    [({"z": 1.0}, "no scorer is called 'z'; there are x, y, minus y"), ({"x": 0.0}, "all weights")],
)
def test_weights_that_weigh_nothing_are_refused(
    benchmarks: list[Measured], scorers: list[Scorer], weights: dict[str, float], problem: str
) -> None:
    with pytest.raises(SnapError, match=problem):
        combine(scorers, [weights], benchmarks[:1])
