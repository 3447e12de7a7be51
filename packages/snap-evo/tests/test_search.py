import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_evo import search
from snap_evo.algorithms import MANY_OBJECTIVES
from snap_evo.defaults import BUDGET
from snap_evo.objectives import Limit, parse_objectives
from snap_evo.scorers import ParamsScorer, Scores, TableScorer
from snap_graphs import space


class Counting:
    """Prefers cells that alternate operators, and remembers what it was asked."""

    def __init__(self) -> None:
        self.hashes: list[str] = []

    def score(self, graphs: pa.Table) -> Scores:
        self.hashes += graphs["cell_hash"].to_pylist()
        return np.array([len(set(nodes)) for nodes in graphs["nodes"].to_pylist()], np.float64)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_evolution_comes_to_the_best_measured_cell(measured_file: Path, seed: int) -> None:
    scorer = TableScorer(measured_file, "baseline_accuracy")
    result = search("nb201", scorer, seed=seed)
    assert result.evaluations == BUDGET
    assert result.score > 94.07 - 0.3


def test_evolution_beats_random_search_at_equal_budget(measured_file: Path) -> None:
    scorer = TableScorer(measured_file, "baseline_accuracy")
    best = {
        algorithm: [
            search("nb201", scorer, algorithm=algorithm, budget=500, seed=seed).score
            for seed in range(5)
        ]
        for algorithm in ("de", "random")
    }
    assert np.mean(best["de"]) > np.mean(best["random"]) + 0.05


def test_evolution_finds_the_largest_cell_of_nas_bench_101() -> None:
    assert search("nb101", ParamsScorer(), budget=600).score == 49_979_274


@pytest.mark.parametrize("algorithm", ["de", "re", "ls", "nsga2", "random"])
@pytest.mark.parametrize("name", ["nb101", "nb201"])
@settings(max_examples=4, deadline=None)
@given(budget=st.integers(1, 70), seed=st.integers(0, 2**31))
def test_a_history_keeps_the_contract_and_the_budget(
    name: str, algorithm: str, budget: int, seed: int
) -> None:
    scorer = Counting()
    result = search(name, scorer, algorithm=algorithm, budget=budget, seed=seed)
    history = result.history
    validate(history, "search")
    assert history["evaluation"].to_pylist() == list(range(budget))
    assert result.distinct == len(scorer.hashes) == len(set(scorer.hashes))
    assert set(scorer.hashes) == set(history["cell_hash"].to_pylist())
    assert result.score == max(history["score"].to_pylist())
    assert (np.diff(history["seconds"].to_numpy()) >= 0).all()
    assert history["seconds"].to_pylist()[-1] <= result.seconds


def test_isomorphic_candidates_share_one_score() -> None:
    history = search("nb201", Counting(), budget=300).history
    scores = history.group_by("cell_hash").aggregate([("score", "count_distinct")])
    assert set(scores["score_count_distinct"].to_pylist()) == {1}
    assert scores.num_rows < history.num_rows


def test_the_best_is_the_candidate_that_was_scored_first() -> None:
    result = search("nb201", ParamsScorer(), budget=200)
    first = int(np.argmax(result.history["score"].to_numpy()))
    validate(result.best, "graphs")
    assert result.best["arch_id"][0] == result.history["arch_id"][first]
    assert result.best["params"][0].as_py() == result.score
    assert space("nb201").format(result.cell) == str(result.best["arch_id"][0])


@pytest.mark.parametrize("algorithm", ["de", "re", "ls", "nsga2", "random"])
def test_equal_seeds_give_equal_histories(algorithm: str) -> None:
    first, again, other = (
        search("nb101", ParamsScorer(), algorithm=algorithm, budget=90, seed=seed)
        for seed in (5, 5, 6)
    )
    without_clock = [r.history.drop_columns(["seconds"]) for r in (first, again, other)]
    assert without_clock[0].equals(without_clock[1])
    assert not without_clock[0].equals(without_clock[2])
    assert first.best.equals(again.best)


def test_progress_is_reported_after_every_generation() -> None:
    steps: list[int] = []
    search("nb201", ParamsScorer(), budget=50, after=lambda found: steps.append(found.evaluations))
    assert steps == [20, 40, 50]


class Failing:
    """Scores cells by their parameters until it has been asked some times."""

    def __init__(self, times: int, failure: Callable[[pa.Table], Scores]) -> None:
        self.left, self.failure = times, failure

    def score(self, graphs: pa.Table) -> Scores:
        self.left -= 1
        return ParamsScorer().score(graphs) if self.left >= 0 else self.failure(graphs)


def raising(_graphs: pa.Table) -> Scores:
    raise ValueError("no such weight")


def hanging(_graphs: pa.Table) -> Scores:
    time.sleep(60)
    raise AssertionError


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (raising, "the scorer Failing failed .ValueError: no such weight"),
        (lambda graphs: np.full(graphs.num_rows, np.nan), "the score nan"),
        (lambda graphs: np.zeros(graphs.num_rows + 1), "returned an array of shape"),
    ],
)
@pytest.mark.parametrize("time_limit", [None, 100.0])
def test_a_search_whose_scorer_fails_leaves_its_history(
    failure: Callable[[pa.Table], Scores], problem: str, time_limit: float | None
) -> None:
    histories: list[pa.Table] = []
    with pytest.raises(SnapError, match=problem):
        search(
            "nb201",
            Failing(3, failure),
            time_limit=time_limit,
            after=lambda found: histories.append(found.history()),
        )
    validate(histories[-1], "search")
    assert histories[-1].num_rows == 60


def test_a_scorer_that_hangs_is_left_behind_when_the_time_is_over() -> None:
    result = search("nb201", Failing(2, hanging), time_limit=1.0)
    assert (result.stopped, result.out_of_time) == ("the time limit of 1 s", True)
    assert result.evaluations == 40


def test_a_scorer_that_hangs_from_the_start_is_reported() -> None:
    with pytest.raises(SnapError, match=r"nothing was scored before the time limit of 0\.2 s"):
        search("nb201", Failing(0, hanging), time_limit=0.2)


def test_the_time_limit_ends_a_search_that_finds_nothing_to_score() -> None:
    limits = [Limit("params", 1)]
    with pytest.raises(SnapError, match="candidates keeps to params <= 1 "):
        search("nb201", ParamsScorer(), budget=10**9, time_limit=0.3, limits=limits)


def test_patience_ends_a_search_that_gets_no_better() -> None:
    result = search("nb201", ParamsScorer(), budget=2000, patience=100)
    scores = result.history["score"].to_numpy()
    assert result.evaluations < 2000
    assert result.evaluations - int(np.argmax(scores)) > 100
    assert result.stopped == f"{result.evaluations - 1 - int(np.argmax(scores))} candidates " + (
        "without a better score"
    )


def test_cells_beyond_a_limit_are_not_scored() -> None:
    scorer = Counting()
    result = search("nb201", scorer, budget=200, limits=[Limit("params", 500_000)])
    validate(result.history, "search")
    beyond = result.history["params"].to_numpy() > 500_000
    assert result.beyond_limits == beyond.sum() > 0
    assert result.history["score"].is_null().to_pylist() == beyond.tolist()
    assert result.distinct == len(scorer.hashes)
    assert result.best["params"][0].as_py() <= 500_000


def test_a_limit_that_nothing_keeps_to_is_reported_with_the_costs_seen() -> None:
    with pytest.raises(
        SnapError,
        match=r"keeps to params <= 10 \(candidates have 73,306 to 886,426\); widen the limits",
    ):
        search("nb201", ParamsScorer(), budget=40, limits=[Limit("params", 10)])


@pytest.mark.parametrize("algorithm", MANY_OBJECTIVES)
def test_the_front_of_two_objectives_is_what_no_candidate_beats(algorithm: str) -> None:
    objectives = parse_objectives("score,flops")
    result = search("nb201", Counting(), algorithm=algorithm, budget=300, objectives=objectives)
    pairs = list(zip(result.history["score"].to_pylist(), result.history["flops"].to_pylist()))  # noqa: B905
    found = list(zip(result.front["score"].to_pylist(), result.front["flops"].to_pylist()))  # noqa: B905
    for score, flops in found:
        assert not any((s >= score and f < flops) or (s > score and f <= flops) for s, f in pairs)
    assert max(pairs)[0] in {score for score, _ in found}


@pytest.mark.parametrize("algorithm", ["de", "re", "ls", "nsga2", "random", "exhaustive"])
def test_a_search_that_goes_on_ends_as_if_it_had_never_stopped(algorithm: str) -> None:
    limits = [Limit("params", 900_000)]
    whole = search("nb201", Counting(), algorithm=algorithm, budget=150, limits=limits)
    part = search("nb201", Counting(), algorithm=algorithm, budget=70, limits=limits)
    scorer = Counting()
    resumed = search(
        "nb201", scorer, algorithm=algorithm, budget=150, limits=limits, recorded=part.history
    )
    assert resumed.history.drop_columns("seconds").equals(whole.history.drop_columns("seconds"))
    assert resumed.best.equals(whole.best)
    assert resumed.history["seconds"].to_pylist()[:70] == part.history["seconds"].to_pylist()
    assert (np.diff(resumed.history["seconds"].to_numpy()) >= 0).all()
    assert len(scorer.hashes) == whole.distinct - part.distinct


def test_a_history_of_another_search_is_refused() -> None:
    other = search("nb201", ParamsScorer(), budget=40, seed=1)
    with pytest.raises(SnapError, match="another version of snap-evo made this history"):
        search("nb201", ParamsScorer(), budget=60, seed=2, recorded=other.history)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"budget": 0}, "a budget of 0 allows no search"),
        ({"seed": -1}, "the seed -1 must be from 0 to 4294967295"),
        ({"algorithm": "swarm"}, "unknown algorithm 'swarm'"),
        ({"patience": 0}, "a patience of 0 allows no search"),
        ({"time_limit": -1.0}, "a time limit of -1.0 allows no search"),
        ({"time_limit": float("nan")}, "a time limit of nan allows no search"),
        ({"time_limit": float("inf")}, "a time limit of inf allows no search"),
        ({"seed": 2**32}, "the seed 4294967296 must be from 0"),
    ],
)
def test_senseless_options_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(SnapError, match=problem):
        search("nb201", ParamsScorer(), **options)


def test_an_unknown_space_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match="unknown search space 'nb301'; known are nb101, nb201"):
        search("nb301", ParamsScorer())
