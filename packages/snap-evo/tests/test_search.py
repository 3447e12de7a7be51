from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_evo import search
from snap_evo.defaults import BUDGET
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
    drawn, evolved = (
        search("nb101", ParamsScorer(), algorithm=a, budget=600).score for a in ("random", "de")
    )
    assert evolved > drawn


@pytest.mark.parametrize("algorithm", ["de", "random"])
@pytest.mark.parametrize("name", ["nb101", "nb201"])
@settings(max_examples=8, deadline=None)
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


@pytest.mark.parametrize("algorithm", ["de", "random"])
def test_equal_seeds_give_equal_histories(algorithm: str) -> None:
    first, again, other = (
        search("nb101", ParamsScorer(), algorithm=algorithm, budget=90, seed=seed)
        for seed in (5, 5, 6)
    )
    without_clock = [r.history.drop_columns(["seconds"]) for r in (first, again, other)]
    assert without_clock[0].equals(without_clock[1])
    assert not without_clock[0].equals(without_clock[2])
    assert first.best.equals(again.best)


def test_progress_adds_up_to_the_budget() -> None:
    steps: list[int] = []
    search("nb201", ParamsScorer(), budget=50, advance=steps.append)
    assert steps == [20, 20, 10]


@given(point=arrays(np.float64, 26, elements=st.floats(0, 1)))
def test_every_point_is_a_cell_of_nas_bench_101(point: np.ndarray) -> None:
    nb101 = space("nb101")
    assert nb101.n_variables == len(point)
    cell = nb101.decode(point)
    assert 2 <= len(cell.nodes) <= 7
    assert 1 <= len(cell.edges) <= 9
    assert {src for src, _ in cell.edges} == set(range(len(cell.nodes) - 1))
    assert {dst for _, dst in cell.edges} == set(range(1, len(cell.nodes)))
    assert nb101.parse(nb101.format(cell)) == cell


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"budget": 0}, "a budget of 0 allows no search"),
        ({"seed": -1}, "the seed -1 is negative"),
        ({"algorithm": "swarm"}, "unknown algorithm 'swarm'"),
    ],
)
def test_senseless_options_are_refused(options: dict[str, int | str], problem: str) -> None:
    with pytest.raises(SnapError, match=problem):
        search("nb201", ParamsScorer(), **options)  # type: ignore[arg-type]


def test_an_unknown_space_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match="unknown search space 'nb301'; known are nb101, nb201"):
        search("nb301", ParamsScorer())
