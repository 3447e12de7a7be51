"""The parts of the developer scripts that compute something."""

import itertools
from pathlib import Path

import ablation
import numpy as np
import printed
import pyarrow as pa
import pytest
import trials
import unseen_operators
from baselines import ahead, overview
from rankings import Ranking, rank
from snap_catalog import operators
from snap_gcn.model.recipe import members
from snap_graphs import graph_table, space
from snap_graphs.table import Metric, append_metric
from training_size import SHARES, steps
from yardsticks import Column, Row, scored, yardsticks


def _graphs(n: int) -> pa.Table:
    home = space("nb201")
    return graph_table("nb201", list(itertools.islice(home.enumerate(), n)))


def _measured(table: pa.Table, name: str, values: list[float]) -> pa.Table:
    return append_metric(table, name, Metric(np.array(values, np.float64), "max", "percent"))


def test_a_perfect_order_has_perfect_figures() -> None:
    measured = np.arange(50.0)
    assert rank(measured**3, measured) == pytest.approx((1, 1, 1, 49, 49))


def test_yardsticks_take_the_sign_that_favours_them() -> None:
    graphs = _graphs(100)
    table = _measured(graphs, "cifar10/test/accuracy", (-graphs["params"].to_numpy()).tolist())
    rows = {row.scorer: row for row in yardsticks(Column("", table, "cifar10/test/accuracy"))}
    assert rows["parameters"].sign == "-"
    assert rows["parameters"].rankings[0].rho == pytest.approx(1)
    assert all(row.rankings[0].rho > 0 for row in rows.values())


def test_a_yardstick_that_is_the_same_for_all_cells_is_left_out() -> None:
    table = _measured(_graphs(20), "cifar10/test/accuracy", [*range(20)])
    table = _measured(table, "proxy/cifar10/flat", [3.0] * 20)
    column = scored("", table, "cifar10/test/accuracy")
    assert column.scores["proxy flat"] == "proxy/cifar10/flat"
    assert "proxy flat" not in {row.scorer for row in yardsticks(column)}


def test_cells_without_a_proxys_score_are_left_out_for_all() -> None:
    table = _measured(_graphs(4), "cifar10/test/accuracy", [1.0, 2.0, 3.0, 4.0])
    table = _measured(table, "proxy/cifar10/a", [1.0, -1e8, 5.0, 6.0])
    table = _measured(table, "proxy/cifar10/b", [1.0, 2.0, float("nan"), 6.0])
    column = scored("", table, "cifar10/test/accuracy")
    assert column.note == "1 without a score and 1 with the sentinel left out"
    left = column.graphs
    assert left["arch_id"].to_pylist() == table["arch_id"].take([0, 3]).to_pylist()


def test_yardsticks_ahead_of_the_default_predictor_are_named() -> None:
    rows = [
        Row("snap", "", [Ranking(0.8, 0.6, 0.1, 93, 94), Ranking(0.9, 0.7, 0.2, 93, 94)]),
        Row("paper", "", [Ranking(1, 1, 1, 99, 99)]),
        Row("skips", "-", [Ranking(0.7, 0.5, 0.3, 90, 95)]),
    ]
    assert ahead(rows) == (
        "Ahead of snap: Spearman: none; tau: none; within top 10 %: skips; best of top 1: none; "
        "best of top 10: skips."
    )


def test_a_scorer_that_a_benchmark_lacks_has_an_empty_place_there() -> None:
    row = Row("skips", "-", [Ranking(0.7, 0.5, 0.3, 90, 95)])
    other = Row("zen", "+", [Ranking(0.5, 0.5, 0.3, 90, 95)])
    lines = overview({"a": [row], "b": [row, other]}).splitlines()
    assert lines[2:] == ["| skips | - .700 | - .700 |", "| zen |  | + .500 |"]


def test_the_ablation_has_the_papers_24_settings_and_begins_at_the_preset() -> None:
    assert len(ablation.PAPER) == 24
    assert ablation.ordered(ablation.PAPER)[0] == ablation.CHOSEN
    (paper,) = members("paper", "short")
    assert (ablation.CHOSEN.layers, ablation.CHOSEN.weight_decay) == (
        paper.layers,
        paper.weight_decay,
    )


@pytest.mark.parametrize(
    ("setting", "tau"),
    [
        (ablation.Setting(4, 1e-4, "long", 384), 0.487),
        (ablation.Setting(3, 1e-4, "short", 384), 0.601),
        (ablation.Setting(3, 1e-6, "short", 768), 0.513),
    ],
)
def test_the_papers_figures_stand_beside_their_settings(
    setting: ablation.Setting, tau: float
) -> None:
    assert ablation.PAPER[setting] == tau


def test_settings_that_were_not_tried_are_said_to_be_so() -> None:
    tried = {ablation.CHOSEN: [{"tau": 0.5, "rho": 0.7}, {"tau": 0.6, "rho": 0.8}]}
    lines = ablation.report(tried).splitlines()[2:]
    assert sum("not run" in line for line in lines) == 23
    assert sum(".550 +- .071 | .750 +- .071" in line for line in lines) == 1


def test_every_share_gets_as_many_steps_as_the_short_schedule_but_no_more_than_150_epochs() -> None:
    (short,) = members("paper", "short")
    for share in SHARES:
        count = 4236 * share
        recipe = steps(count, 381_056)
        budget = short.epochs * short.fraction * 381_056
        assert recipe.epochs * count <= budget * 1.2
        assert recipe.epochs == 150 or recipe.epochs * count >= budget * 0.8
        assert recipe.fraction == 1


def test_a_trial_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "trial.json"
    made = trials.remembered(path, lambda: {"rho": 0.5})
    again = trials.remembered(path, lambda: pytest.fail("made again"))
    assert made == again == {"rho": 0.5}


def test_our_sentences_are_five_for_each_operator_and_none_is_the_catalogs() -> None:
    groups = unseen_operators.described()
    texts = [text for group in groups for text in group.values()]
    known = {text for op in operators()["nb201"] for text in op.descriptions.values()}
    assert len(groups) == 5
    assert all(group.keys() == {"avg_pool_3x3", "skip_connect"} for group in groups)
    assert len(set(texts)) == 10
    assert not known & set(texts)


@pytest.mark.parametrize(
    ("values", "told"),
    [([0.8, 0.8, 0.8], ".800 +- .000"), ([-0.25], "-.250"), ([1.5, 2.5], "2.000 +- .707")],
)
def test_figures_are_told_with_their_spread(values: list[float], told: str) -> None:
    assert printed.spread(values) == told


def test_a_table_of_markdown_has_a_line_a_row() -> None:
    assert printed.table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
