from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.csv as csv
import pytest
from scipy import stats
from snap_eval import spearman
from snap_eval.bootstrap import draws, interval, over_seeds, replicates
from snap_eval.estimate import Estimate
from snap_eval.ranks import estimate_kendall, estimate_spearman
from snap_eval.statistics import families

Floats = npt.NDArray[np.float64]


def _sample(n: int, rho: float, seed: int) -> tuple[Floats, Floats]:
    normals = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)
    return normals[:, 0], normals[:, 1]


def _plain(x: Floats, y: Floats, statistics: list[str], resamples: int) -> dict[str, Floats]:
    """The bootstrap as it is in the book: cells drawn, and the statistic computed of them."""
    values: dict[str, list[float]] = {name: [] for name in statistics}
    for counts in draws(x.size, resamples, 0):
        for row in counts:
            cells = np.repeat(np.arange(x.size), row.astype(int))
            for family in families(statistics):
                found = family.estimate(x[cells], y[cells])
                for name, value in zip(family.names, found.values, strict=True):
                    values[name].append(float(value))
    return {name: np.array(column) for name, column in values.items()}


def _ours(x: Floats, y: Floats, statistics: list[str], resamples: int) -> dict[str, Floats]:
    chosen = families(statistics)
    estimates = [family.estimate(x, y) for family in chosen]
    found = replicates(estimates, x.size, resamples=resamples)
    names = [name for family in chosen for name in family.names]
    return dict(zip(names, np.concatenate(found, axis=1).T, strict=True))


CORRELATIONS = ["pearson", "spearman", "kendall_tau_b", "weighted_tau"]


@pytest.mark.parametrize("n", [12, 150])
@pytest.mark.parametrize("ties", [0, 2])
def test_of_few_cells_every_resample_is_computed_to_the_letter(n: int, ties: int) -> None:
    x, y = (np.round(v * ties) if ties else v for v in _sample(n, 0.6, n))
    plain, ours = (f(x, y, CORRELATIONS, 40) for f in (_plain, _ours))
    for name in CORRELATIONS:
        np.testing.assert_allclose(ours[name], plain[name], atol=1e-9, err_msg=name)


@pytest.mark.parametrize("score", ["proxy/cifar10/nwot", "proxy/cifar10/params", "convolutions"])
def test_of_many_real_cells_intervals_are_those_of_the_plain_bootstrap(
    shared_data: Path, score: str
) -> None:
    proxies = csv.read_csv(shared_data / "nb201_proxies_cifar10.csv.gz")
    joined = proxies.join(csv.read_csv(shared_data / "nb201_cifar10.csv.gz"), keys="arch")
    joined = joined.sort_by("arch")  # a join in several threads leaves the rows in any order
    some = np.random.default_rng(0).choice(joined.num_rows, 1500, replace=False)
    cells = joined.take(np.sort(some))
    y = cells["cifar10/test/accuracy@200"].to_numpy()
    if score == "convolutions":
        x = np.array([name.count("conv") for name in cells["arch"].to_pylist()], np.float64)
    else:
        x = cells[score].to_numpy()
    plain, ours = (f(x, y, CORRELATIONS, 300) for f in (_plain, _ours))
    for name in CORRELATIONS:
        width = np.diff(interval(plain[name]))
        gap = np.abs(interval(ours[name]) - interval(plain[name])) / width
        assert (gap < 0.05).all(), (name, gap)
        assert np.corrcoef(ours[name], plain[name])[0, 1] > 0.99, name


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.98])
def test_intervals_are_ordered_hold_the_statistic_and_stay_between_minus_1_and_1(
    rho: float,
) -> None:
    x, y = _sample(300, rho, 1)
    for name, values in _ours(x, y, CORRELATIONS, 200).items():
        low, high = interval(values)
        ((value,),) = [f.estimate(x, y).values for f in families([name])]
        assert -1 <= low < value < high <= 1


def test_the_interval_agrees_with_scipys_bootstrap() -> None:
    x, y = _sample(80, 0.6, 1)
    (found,) = replicates([estimate_spearman(x, y)], 80, resamples=2000)
    theirs = stats.bootstrap(
        (x, y), spearman, n_resamples=2000, paired=True, method="percentile", rng=2
    ).confidence_interval
    assert interval(found) == pytest.approx([theirs.low, theirs.high], abs=0.03)


@pytest.mark.parametrize("n", [150, 400])
def test_intervals_hold_the_true_value_about_95_times_in_100(n: int) -> None:
    truth = 6 / np.pi * np.arcsin(0.5 / 2)  # of Spearman's rho, for normals correlated by 0.5
    held = 0
    for seed in range(100):
        (found,) = replicates([estimate_spearman(*_sample(n, 0.5, seed))], n, resamples=200)
        low, high = interval(found)
        held += low <= truth <= high
    assert 88 <= held <= 99


def test_equal_seeds_give_equal_resamples_and_other_seeds_others() -> None:
    estimate = [estimate_spearman(*_sample(50, 0.3, 0))]
    first, again, other = (
        replicates(estimate, 50, resamples=20, seed=seed)[0] for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_all_statistics_see_the_same_resamples() -> None:
    x, y = _sample(50, 0.3, 0)
    alone = replicates([estimate_kendall(x, y)], 50, resamples=20)[0]
    beside = replicates([estimate_spearman(x, y), estimate_kendall(x, y)], 50, resamples=20)[1]
    np.testing.assert_allclose(alone, beside)


def test_a_statistic_of_a_part_of_the_cells_is_resampled_with_the_rest() -> None:
    x, y = _sample(600, 0.5, 3)
    part = np.arange(0, 600, 2)
    (whole,) = replicates([estimate_spearman(x, y)], 600, resamples=300)
    (placed,) = replicates([estimate_spearman(x[part], y[part]).placed(part, 600)], 600)
    (alone,) = replicates([estimate_spearman(x[part], y[part])], 300)
    widths = [np.diff(interval(values)).item() for values in (whole, placed, alone)]
    assert widths[0] < widths[1] == pytest.approx(widths[2], rel=0.15)


def test_draws_without_a_value_are_left_out() -> None:
    # Half of the draws of two cells hold one of them twice, which has no correlation.
    (found,) = replicates([estimate_spearman(np.array([1.0, 2.0]), np.array([3.0, 4.0]))], 2)
    assert 300 < np.isnan(found).sum() < 700
    assert interval(found).tolist() == [pytest.approx(1), pytest.approx(1)]


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_statistic_without_a_value_has_no_interval(n: int) -> None:
    for family in families():
        estimate: Estimate = family.estimate(np.ones(n), np.linspace(0, 1, n))
        for values, point in zip(replicates([estimate], n)[0].T, estimate.values, strict=True):
            assert np.isnan(interval(values)).all() == np.isnan(point)


def test_seeds_that_differ_widen_the_interval_and_equal_ones_do_not() -> None:
    (one,) = replicates([estimate_spearman(*_sample(300, 0.5, 0))], 300)
    same, apart = over_seeds([one, one, one], 0), over_seeds([one, one + 0.1, one - 0.1], 0)
    np.testing.assert_allclose(same, one)
    assert np.diff(interval(apart)) > 1.3 * np.diff(interval(one))


def test_every_resample_has_as_many_draws_as_there_are_cells() -> None:
    for counts in draws(30, 50, 0):
        assert (counts.sum(axis=1) == 30).all()
