"""Weighted sums of ranks."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.scores import NO_SCORE
from snap_evo import search
from snap_evo.combination import Part, RankCombination, Scale, _scale
from snap_evo.scorers import FlopsScorer, ParamsScorer, Scores, distinct_cells
from snap_graphs import graph_table, space
from snap_graphs.spaces import defined_space

PARAMS = Part("params", ParamsScorer(), 1.0)


class Constant:
    def score(self, graphs: pa.Table) -> Scores:
        return np.full(graphs.num_rows, 3.0)


class Exponent:
    """Orders cells as another scorer does, in other units."""

    def score(self, graphs: pa.Table) -> Scores:
        scores: Scores = np.exp(graphs["params"].to_numpy() / 1e5)
        return scores


@pytest.fixture(scope="module")
def cells() -> pa.Table:
    return graph_table("nb201", space("nb201").sample(200, seed=7))


def test_a_score_depends_on_the_cell_alone(cells: pa.Table) -> None:
    parts = (PARAMS, Part("flops", FlopsScorer(), -0.5))
    whole = RankCombination(parts).score(cells)
    again = RankCombination(parts)
    halves = [again.score(cells.slice(start, 100)) for start in (100, 0)]
    assert np.concatenate(halves[::-1]).tolist() == whole.tolist()


def test_ranks_take_no_notice_of_units(cells: pa.Table) -> None:
    """Inside the sample nothing but the order counts, up to where ranks are interpolated."""
    one = RankCombination((PARAMS,)).score(cells)
    other = RankCombination((Part("other", Exponent(), 1.0),)).score(cells)
    assert np.argsort(one, kind="stable").tolist() == np.argsort(other, kind="stable").tolist()
    assert np.abs(one - other).max() < 0.05


def test_weights_turn_and_stretch_ranks(cells: pa.Table) -> None:
    plain = RankCombination((PARAMS,)).score(cells)
    turned = RankCombination((PARAMS._replace(weight=-2.0),)).score(cells)
    assert turned == pytest.approx(-2 * plain)
    both = RankCombination((PARAMS, PARAMS._replace(weight=0.5))).score(cells)
    assert both == pytest.approx(1.5 * plain)


def test_the_best_of_the_space_differs_from_the_best_of_the_sample() -> None:
    nb201 = space("nb201")
    best = graph_table(
        "nb201",
        [nb201.parse("|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|".format("nor_conv_3x3"))],
    )
    sample = distinct_cells(nb201)
    assert best["params"][0].as_py() > max(sample["params"].to_pylist())
    scorer = RankCombination((PARAMS,))
    assert scorer.score(sample).max() == 1.0
    assert scorer.score(best)[0] > 1.0


def test_a_search_by_a_combination_of_one_ends_where_the_scorer_alone_does() -> None:
    alone = search("nb201", ParamsScorer(), budget=600)
    combined = search("nb201", RankCombination((PARAMS,)), budget=600)
    assert combined.best["cell_hash"].equals(alone.best["cell_hash"])


def test_a_scorer_that_distinguishes_no_cells_is_refused(cells: pa.Table) -> None:
    scorer = RankCombination((PARAMS, Part("same", Constant(), 1.0)))
    with pytest.raises(
        SnapError, match=r"the scorer same gives all of \d+ random cells the score 3,"
    ):
        scorer.score(cells)


def test_graphs_of_several_spaces_have_no_ranks(cells: pa.Table, three_cells: pa.Table) -> None:
    both = pa.concat_tables([t.select(["space", "arch_id"]) for t in (cells, three_cells)])
    with pytest.raises(SnapError, match="belong to 2 search spaces"):
        RankCombination((PARAMS,)).score(both)


def test_another_space_has_a_sample_of_its_own(cells: pa.Table, three_cells: pa.Table) -> None:
    scorer = RankCombination((PARAMS,))
    first = scorer.score(cells)
    scorer.score(three_cells)
    assert scorer.score(cells).tolist() == first.tolist()


def test_the_sample_holds_each_cell_of_a_small_space_once() -> None:
    text = 'name = "own"\nnodes = 3\nedges = "all"\n[operators]\nup = "Up"\ndown = "Down"\n'
    sample = distinct_cells(defined_space(text, "own.toml"))
    assert sample.num_rows == len(sample["cell_hash"].unique()) == 8
    assert distinct_cells(space("nb201")).equals(distinct_cells(space("nb201")))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.lists(st.floats(-1e7, 1e7)))
def test_ranks_keep_the_order_of_scores(sample: list[float], scores: list[float]) -> None:
    if np.ptp(sample) < 1e-3:
        return
    scale = Scale.among(np.array(sample))
    ranks = scale.ranks(np.array(sorted(scores)))
    assert (np.diff(ranks) >= 0).all()
    assert scale.ranks(np.array([min(sample), max(sample)])).tolist() == [0.0, 1.0]


def test_beyond_the_sample_ranks_go_on_at_the_slope_of_its_half() -> None:
    scale = Scale.among(np.array([0.0, 1.0, 2.0, 6.0, 10.0]))
    assert scale.ranks(np.array([-2.0, -1.0, 2.0, 10.0, 12.0, 18.0])) == pytest.approx(
        [-0.5, -0.25, 0.5, 1.0, 1.125, 1.5]
    )


def test_a_sample_that_mostly_shares_its_best_score_still_distinguishes_better_ones() -> None:
    scale = Scale.among(np.array([0.0, 4.0, 4.0, 4.0]))
    assert scale.ranks(np.array([4.0, 8.0])).tolist() == [1.0, 6.0]


class Fixed:
    """A scorer that knows its scores."""

    def __init__(self, *scores: float) -> None:
        self.scores = np.array(scores)

    def score(self, graphs: pa.Table) -> Scores:
        return self.scores


def test_networks_without_a_score_are_no_part_of_the_scale() -> None:
    sample = pa.table({"arch_id": [str(row) for row in range(4)]})
    missing = _scale(Part("x", Fixed(NO_SCORE, 1.0, 2.0, 6.0), 1.0), sample)
    assert missing.scores.tolist() == [1.0, 2.0, 6.0]
    assert missing.below == Scale.among(np.array([1.0, 2.0, 6.0])).below
    with pytest.raises(SnapError, match="gives all of 2 random cells the score -1e"):
        _scale(Part("x", Fixed(NO_SCORE, NO_SCORE), 1.0), sample.slice(0, 2))
