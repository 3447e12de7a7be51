from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate
from snap_eval import correlate

Make = Callable[..., pa.Table]
ACCURACY = "cifar10/test/accuracy@200"
ENERGY = "hw/toaster/joules"
NAMES = list("abcdefgh")
VALUES = [90.0, 91.5, 92.0, 93.1, 94.0, 94.0, 10.0, 50.0]


def _values(table: pa.Table, population: str) -> dict[str, float | None]:
    rows = [row for row in table.to_pylist() if row["population"] == population]
    return {row["statistic"]: row["value"] for row in rows}


def test_the_result_keeps_the_contract_and_says_how_it_came_about(
    make_graphs: Make, make_scores: Make
) -> None:
    origin = {"snap.benchmark": "analog-nasbench", "snap.licence": "MIT", "snap.producer": "x"}
    graphs = make_graphs(NAMES, {ACCURACY: VALUES}, metadata=origin)
    scores = make_scores(NAMES[:6], VALUES[:6], metadata={"snap.scorer": "gcn", "snap.seed": "4"})
    table = correlate(scores, graphs, "test/acc", bootstrap=30, seed=5)
    validate(table, "correlations")
    for row in table.to_pylist():
        assert (row["benchmark"], row["metric"], row["role"]) == (
            "analog-nasbench",
            ACCURACY,
            "test",
        )
        assert (row["scorer"], row["seed"], row["n"]) == ("gcn", 4, 6)
        assert (
            row["ties"] == {"spearman": "average ranks", "kendall_tau_b": "tau-b"}[row["statistic"]]
        )
    assert decode_metadata(table.schema) == {
        "snap.licence": "MIT",
        "snap.direction": "max",
        "snap.bootstrap": "30",
        "snap.bootstrap_seed": "5",
        "snap.scores_without_graph": "0",
        "snap.graphs_without_score": "2",
        "snap.cells_without_metric": "0",
    }


def test_the_figures_are_scipys_over_each_population(make_graphs: Make, make_scores: Make) -> None:
    rng = np.random.default_rng(0)
    names = [f"{i:03}" for i in range(200)]
    x, y = rng.integers(0, 20, 200).astype(float), rng.normal(size=200)
    hashes, n_dead = rng.integers(0, 60, 200).tolist(), rng.integers(0, 2, 200).tolist()
    graphs = make_graphs(names, {ACCURACY: y}, hashes=hashes, n_dead=n_dead)
    table = correlate(make_scores(names, x), graphs, ACCURACY, bootstrap=20)
    alive = np.flatnonzero(np.array(n_dead) == 0)
    firsts = alive[np.unique(np.array(hashes)[alive], return_index=True)[1]]
    for population, chosen in {"all": np.arange(200), "unique_reachable": firsts}.items():
        assert _values(table, population) == {
            "spearman": pytest.approx(stats.spearmanr(x[chosen], y[chosen]).statistic),
            "kendall_tau_b": pytest.approx(stats.kendalltau(x[chosen], y[chosen]).statistic),
        }
    assert set(table["n"].to_pylist()) == {200, firsts.size}


@pytest.mark.parametrize(("metric", "sign"), [(ACCURACY, 1), (ENERGY, -1)])
def test_a_metric_where_less_is_better_is_negated(
    make_graphs: Make, make_scores: Make, metric: str, sign: int
) -> None:
    table = correlate(
        make_scores(NAMES, VALUES), make_graphs(NAMES, {metric: VALUES}), metric, bootstrap=20
    )
    assert _values(table, "all") == {
        "spearman": pytest.approx(sign),
        "kendall_tau_b": pytest.approx(sign),
    }


def test_an_inverted_scorer_gets_minus_one(make_graphs: Make, make_scores: Make) -> None:
    scores = make_scores(NAMES, [-v for v in VALUES])
    table = correlate(scores, make_graphs(NAMES, {ACCURACY: VALUES}), ACCURACY, bootstrap=20)
    assert table["value"].to_pylist() == [pytest.approx(-1)] * 4


def test_a_constant_scorer_gets_nulls(make_graphs: Make, make_scores: Make) -> None:
    scores = make_scores(NAMES, [1.0] * 8)
    table = correlate(scores, make_graphs(NAMES, {ACCURACY: VALUES}), ACCURACY, bootstrap=20)
    for column in ("value", "low", "high"):
        assert table[column].null_count == 4


def test_a_population_without_cells_gets_nulls_and_n_0(
    make_graphs: Make, make_scores: Make
) -> None:
    graphs = make_graphs(NAMES, {ACCURACY: VALUES}, n_dead=[1] * 8)
    table = correlate(make_scores(NAMES, VALUES), graphs, ACCURACY, bootstrap=20)
    assert table["n"].to_pylist() == [8, 8, 0, 0]
    assert _values(table, "unique_reachable") == {"spearman": None, "kendall_tau_b": None}


def test_no_resamples_give_figures_without_intervals(make_graphs: Make, make_scores: Make) -> None:
    graphs = make_graphs(NAMES, {ACCURACY: VALUES})
    table = correlate(make_scores(NAMES, VALUES), graphs, ACCURACY, bootstrap=0)
    assert (table["value"].null_count, table["low"].null_count) == (0, 4)


@pytest.mark.parametrize(
    ("stated", "given", "expected"),
    [
        ({}, None, ("nb201", "develop")),
        ({"snap.benchmark": "analog-nasbench"}, None, ("analog-nasbench", "test")),
        ({"snap.benchmark": "analog-nasbench"}, "nb201", ("nb201", "develop")),
        ({}, "mine", ("mine", "unknown")),
    ],
)
def test_the_benchmark_is_the_one_given_else_stated_else_the_space(
    make_graphs: Make,
    make_scores: Make,
    stated: Mapping[str, str],
    given: str | None,
    expected: tuple[str, str],
) -> None:
    graphs = make_graphs(NAMES, {ACCURACY: VALUES}, metadata=stated)
    scores = make_scores(NAMES, VALUES)
    row = correlate(scores, graphs, ACCURACY, bootstrap=0, benchmark=given).to_pylist()[0]
    assert (row["benchmark"], row["role"]) == expected


def test_a_metric_the_catalog_does_not_know_has_an_unknown_role(
    make_graphs: Make, make_scores: Make
) -> None:
    graphs = make_graphs(NAMES, {"svhn/test/accuracy": VALUES})
    table = correlate(make_scores(NAMES, VALUES), graphs, "svhn", bootstrap=0)
    assert set(table["role"].to_pylist()) == {"unknown"}


def test_cells_of_several_spaces_need_a_benchmark(make_graphs: Make, make_scores: Make) -> None:
    spaces = ["nb101", "nb201"] * 4
    graphs = make_graphs(NAMES, {ACCURACY: VALUES}, spaces=spaces)
    scores = make_scores(NAMES, VALUES, spaces=spaces)
    with pytest.raises(SnapError, match=r"several spaces \(nb101, nb201\).*give --benchmark"):
        correlate(scores, graphs, ACCURACY)
    assert correlate(scores, graphs, ACCURACY, bootstrap=0, benchmark="both").num_rows == 4


def test_repeated_architectures_are_refused(make_graphs: Make, make_scores: Make) -> None:
    once, twice = ["a", "b"], ["a", "a"]
    with pytest.raises(SnapError, match=r"^scores: 2 rows share .*'a'"):
        correlate(make_scores(twice, [1, 2]), make_graphs(once, {ACCURACY: [1, 2]}), ACCURACY)
    with pytest.raises(SnapError, match=r"^graphs: 2 rows share .*'a'"):
        correlate(make_scores(once, [1, 2]), make_graphs(twice, {ACCURACY: [1, 2]}), ACCURACY)


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [({}, "lacks 'snap.scorer'"), ({"snap.scorer": "gcn", "snap.seed": "x"}, "'snap.seed' is 'x'")],
)
def test_scores_of_unclear_origin_are_refused(
    make_graphs: Make, make_scores: Make, metadata: Mapping[str, str], problem: str
) -> None:
    scores = make_scores(NAMES, VALUES, metadata=metadata)
    with pytest.raises(SnapError, match=problem):
        correlate(scores, make_graphs(NAMES, {ACCURACY: VALUES}), ACCURACY)
