import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from snap_eval import kendall_tau_b, percentile_intervals, spearman


def _sample(n: int, rho: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    normals = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)
    return normals[:, 0], normals[:, 1]


@settings(deadline=None, max_examples=20)
@given(st.floats(-0.9, 0.9), st.integers(0, 1000))
def test_intervals_are_ordered_and_hold_the_statistic(rho: float, seed: int) -> None:
    x, y = _sample(60, rho, seed)
    statistics = (spearman, kendall_tau_b)
    intervals = percentile_intervals(statistics, x, y, resamples=200)
    for statistic, (low, high) in zip(statistics, intervals, strict=True):
        assert -1 <= low < statistic(x, y) < high <= 1


def test_the_interval_agrees_with_scipys_bootstrap() -> None:
    x, y = _sample(80, 0.6, 1)
    ((low, high),) = percentile_intervals([spearman], x, y, resamples=2000)
    theirs = stats.bootstrap(
        (x, y), spearman, n_resamples=2000, paired=True, method="percentile", rng=2
    ).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_intervals_hold_the_true_value_about_95_times_in_100() -> None:
    truth = 6 / np.pi * np.arcsin(0.5 / 2)  # of Spearman's rho, for normals correlated by 0.5
    intervals = [
        percentile_intervals([spearman], *_sample(150, 0.5, seed), resamples=150)[0]
        for seed in range(100)
    ]
    assert 90 <= sum(low <= truth <= high for low, high in intervals) <= 99


def test_equal_seeds_give_equal_intervals_and_other_seeds_others() -> None:
    x, y = _sample(50, 0.3, 0)
    first, again, other = (
        percentile_intervals([spearman], x, y, resamples=50, seed=seed) for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_order_of_the_cells_does_not_move_the_interval() -> None:
    x, y = _sample(50, 0.3, 0)
    np.testing.assert_array_equal(
        percentile_intervals([kendall_tau_b], x, y, resamples=50),
        percentile_intervals([kendall_tau_b], x[::-1], y[::-1], resamples=50),
    )


def test_draws_without_a_value_are_left_out() -> None:
    # Half of the draws of two cells hold one of them twice, which has no correlation.
    intervals = percentile_intervals([spearman], np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert intervals.tolist() == [[pytest.approx(1), pytest.approx(1)]]


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_statistic_without_a_value_has_no_interval(n: int) -> None:
    assert np.isnan(percentile_intervals([spearman], np.ones(n), np.linspace(0, 1, n))).all()


def test_progress_is_told_once_a_draw() -> None:
    steps: list[int] = []

    def advance(units: int, note: str = "") -> None:
        steps.append(units)

    percentile_intervals([spearman], *_sample(9, 0, 0), resamples=12, advance=advance)
    assert steps == [1] * 12
