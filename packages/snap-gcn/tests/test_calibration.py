import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_gcn.reliability.calibration import Calibration, Expected, Measured, terms

NEAR = Measured(
    benchmark="near",
    metric="a",
    n=9,
    features={"operators": 0.0, "size": 0.0, "disagreement": 0.0},
    spearman=0.9,
)
FAR = Measured(
    benchmark="far",
    metric="a",
    n=9,
    features={"operators": 0.5, "size": 0.2, "disagreement": 1.0},
    spearman=0.4,
)
FAILED = Measured(benchmark="failed", metric="a", n=9, features=FAR["features"], spearman=-0.2)
RECORD = Calibration(
    intercept=0.9,
    slopes={"operators": 1.0, "size": 0.0, "disagreement": 0.0},
    residuals=(-0.3, 0.2),
    limits={"operators": 0.6, "size": 0.1, "disagreement": 3.0},
    benchmarks=[NEAR, FAR, {**FAR, "metric": "b", "spearman": 0.6}, FAILED],
)


def test_an_interval_is_around_the_estimate_and_names_the_benchmark_that_is_as_far() -> None:
    far = {"operators": 0.4, "size": 0.0, "disagreement": 0.0}
    assert RECORD.expect(far) == Expected(low=0.2, high=0.7, middle=0.5, as_on="far")
    near = {"operators": 0.1, "size": 0.0, "disagreement": 0.0}
    assert RECORD.expect(near) == Expected(low=0.5, high=1.0, middle=0.8, as_on="near")


@pytest.mark.parametrize("feature", ["operators", "size", "disagreement"])
def test_beyond_a_limit_nothing_is_expected(feature: str) -> None:
    inside = dict(RECORD.limits)
    assert RECORD.expect(inside) is not None
    assert RECORD.expect({**inside, feature: RECORD.limits[feature] + 0.01}) is None
    assert RECORD.expect({n: v for n, v in inside.items() if n != feature}) is None


def test_in_a_measured_space_the_measurements_count() -> None:
    found = RECORD.expect_in("far", FAR["features"])
    assert found == Expected(low=0.1, high=0.8, middle=0.4, as_on="far")
    assert RECORD.expect_in("elsewhere", FAR["features"]) is None


def test_larger_graphs_than_those_of_a_measured_space_are_not_of_it() -> None:
    assert RECORD.expect_in("far", {**FAR["features"], "size": 0.31}) is None


def test_a_part_of_a_measured_space_that_is_further_from_training_is_ranked_worse() -> None:
    further, nearer = (
        RECORD.expect_in("far", {**FAR["features"], "operators": o}) for o in (0.7, 0.2)
    )
    assert further is not None
    assert further.middle == pytest.approx(0.2)
    assert nearer == RECORD.expect_in("far", FAR["features"])


def test_a_ranking_is_not_expected_to_be_the_wrong_way_round_unless_it_was() -> None:
    far = {**FAR["features"], "operators": 5.0}
    for space, middle in (("far", 0.0), ("failed", -0.2)):
        found = RECORD.expect_in(space, far)
        assert found is not None
        assert found.middle == middle


@given(st.floats(0, 0.6), st.floats(0, 0.1), st.floats(0, 3), st.floats(0, 0.5))
def test_what_is_further_from_training_is_never_expected_to_be_ranked_better(
    operators: float, size: float, disagreement: float, more: float
) -> None:
    features = {"operators": operators, "size": size, "disagreement": disagreement}
    near = RECORD.expect(features)
    assert near is not None
    assert -1 <= near.low <= near.high <= 1
    for name in features:
        far = RECORD.expect({**features, name: features[name] + more})
        assert far is None or far.low <= near.low


def test_disagreement_counts_by_its_logarithm() -> None:
    assert terms({"operators": 0.5, "disagreement": 0.0}) == {"operators": 0.5, "disagreement": 0.0}
    assert terms({"disagreement": 1.0})["disagreement"] == pytest.approx(0.693, abs=1e-3)
