"""The parts of the developer scripts that compute something."""

from pathlib import Path

import pytest
from snap_catalog import operators
from snap_gcn.model.recipe import members

from tools import printed
from tools.measure import ablation, unseen_operators
from tools.measure.training_size import SHARES, steps
from tools.steps import figures


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
    made = figures(path, [], ["one"], lambda: {"rho": 0.5})
    again = figures(path, [], ["one"], lambda: pytest.fail("made again"))
    assert made == again == {"rho": 0.5}
    assert figures(path, [], ["another"], lambda: {"rho": 0.6}) == {"rho": 0.6}


def test_our_sentences_are_five_for_each_operator_and_none_is_the_catalogs() -> None:
    groups = unseen_operators.described()
    texts = [text for group in groups for text in group.values()]
    known = {text for op in operators()["nb201"] for text in op.descriptions.values()}
    assert len(groups) == 5
    assert all(group.keys() == {"avg_pool_3x3", "skip_connect"} for group in groups)
    assert len(set(texts)) == 10
    assert not known & set(texts)


@pytest.mark.parametrize(
    ("values", "shown"),
    [([0.8, 0.8, 0.8], ".800 +- .000"), ([-0.25], "-.250"), ([1.5, 2.5], "2.000 +- .707")],
)
def test_figures_have_their_standard_deviation(values: list[float], shown: str) -> None:
    assert printed.spread(values) == shown


def test_a_table_of_markdown_has_a_line_a_row() -> None:
    assert printed.table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
