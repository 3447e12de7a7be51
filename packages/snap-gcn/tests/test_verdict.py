from dataclasses import replace

import pytest
from snap_gcn.reliability.calibration import Calibration, Measured
from snap_gcn.reliability.verdict import Evidence, judge

HERE = {"operators": 0.0, "size": 0.0, "disagreement": 0.2}
RECORD = Calibration(
    intercept=0.9,
    slopes={"operators": 1.0, "size": 0.0, "disagreement": 0.4},
    residuals=(-0.3, 0.2),
    limits={"operators": 0.6, "size": 0.1, "disagreement": 5.0},
    benchmarks=[
        Measured(benchmark="good", metric="a", n=9, features=HERE, spearman=0.9),
        Measured(benchmark="bad", metric="a", n=9, features=HERE, spearman=-0.04),
    ],
)
EVIDENCE = Evidence(
    architectures=100,
    equal=False,
    few=False,
    features=HERE,
    operators={},
    larger=0.0,
    space=None,
    tau=0.7,
)


def test_a_ranking_near_training_is_relied_on() -> None:
    verdict, expected = judge(EVIDENCE, RECORD)
    assert verdict == (
        "rely on this ranking with care: this space was never measured, but is no further from "
        "training than good"
    )
    assert expected is not None
    assert expected.low > 0.3


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ({"disagreement": 3.5}, "the members disagree 3.5 times as much as the scores differ"),
        ({"operators": 0.5}, "operators unlike any of training (gap, add)"),
        ({"size": 0.5}, "90% of the graphs are larger or denser than any of training"),
        ({"operators": 0.1, "disagreement": 1.0}, "it is too far from training"),
    ],
)
def test_far_from_training_the_reasons_are_given(features: dict[str, float], reason: str) -> None:
    evidence = replace(
        EVIDENCE, features={**HERE, **features}, operators={"gap": 0.6, "add": 0.4}, larger=0.9
    )
    verdict, expected = judge(evidence, RECORD)
    assert verdict == f"do not rely on this ranking: {reason}"
    assert expected is None or expected.low < 0.3


@pytest.mark.parametrize(
    ("operators", "named"),
    [
        (["a"], "the description of a is in doubt; correct it"),
        (["a", "b"], "the descriptions of a, b are in doubt; correct them"),
        ([*"abcde"], "the descriptions of a, b, c and 2 more are in doubt; correct them"),
    ],
)
@pytest.mark.parametrize("record", [RECORD, None])
def test_descriptions_in_doubt_are_named_before_anything_else(
    record: Calibration | None, operators: list[str], named: str
) -> None:
    judged = judge(replace(EVIDENCE, doubtful=operators, space="good"), record)
    assert judged == (f"do not rely on this ranking: {named}", None)


def test_a_space_on_which_the_model_failed_is_not_relied_on() -> None:
    verdict, expected = judge(replace(EVIDENCE, space="bad"), RECORD)
    assert verdict == "do not rely on this ranking: it is as on bad (Spearman -0.04 there)"
    assert expected is not None
    assert expected.low < 0 < expected.high


@pytest.mark.parametrize(
    ("disagreement", "verdict"),
    [
        (0.2, "rely on this ranking as on good (Spearman 0.90 there)"),
        (1.0, "rely on this ranking less than on all of good (Spearman 0.90 there): these score"),
        (9.0, "too close to call: the ranking of good (Spearman 0.90 there) is reliable as a"),
    ],
)
def test_in_a_space_that_is_ranked_well_close_scores_are_named_as_such(
    disagreement: float, verdict: str
) -> None:
    features = {**HERE, "disagreement": disagreement}
    assert judge(replace(EVIDENCE, space="good", features=features), RECORD)[0].startswith(verdict)


@pytest.mark.parametrize("record", [RECORD, None])
def test_one_architecture_or_equal_scores_rank_nothing(record: Calibration | None) -> None:
    for count, words in ((0, "there is no architecture"), (1, "there is 1 architecture")):
        reported = judge(replace(EVIDENCE, architectures=count, few=True), record)
        assert reported == (f"nothing is ranked: {words}", None)
    reported = judge(replace(EVIDENCE, equal=True), record)
    assert reported == ("nothing is ranked: the scores of all 100 architectures are equal", None)


def test_few_architectures_are_not_judged_by_their_scores_but_by_what_they_are() -> None:
    few = replace(EVIDENCE, architectures=2, few=True, features={"operators": 0.0, "size": 0.0})
    assert judge(few, RECORD) == ("too few architectures (2) to judge their ranking", None)
    far = replace(few, features={"operators": 0.0, "size": 2.0}, larger=1.0)
    assert judge(far, RECORD)[0].startswith("do not rely on this ranking: 100% of the graphs")


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "rely on this ranking as on the model's held-out training cells (Kendall's tau 0.70)"),
        ({"tau": 0.1}, "do not rely on this ranking: Kendall's tau on the model's held-out"),
        ({"operators": {"a": 0.06}}, "whether to rely on this ranking is unknown"),
        ({"larger": 0.01}, "whether to rely on this ranking is unknown"),
        ({"features": {**HERE, "disagreement": 2.0}}, "do not rely on this ranking: the members"),
        ({"features": {**HERE, "operators": 0.2}}, "do not rely on this ranking: operators"),
        ({"features": {**HERE, "size": 0.2}}, "do not rely on this ranking: 0% of the graphs"),
    ],
)
def test_a_model_that_was_not_calibrated_is_judged_by_its_held_out_cells(
    change: dict[str, object], verdict: str
) -> None:
    reported, expected = judge(replace(EVIDENCE, **change), None)  # type: ignore[arg-type]
    assert reported.startswith(verdict)
    assert expected is None
