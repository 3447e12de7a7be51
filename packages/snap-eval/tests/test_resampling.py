import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as csv
import pytest
from scipy import stats
from snap_eval import Statistic, spearman
from snap_eval.resampling import Resamples, fisher, interval, over_seeds, plain
from snap_eval.statistics import chosen, known

Floats = npt.NDArray[np.float64]
Pair = tuple[Floats, Floats]

LARGE = int(os.environ.get("SNAP_RESAMPLES", "20000"))
"""The promise is of 100,000."""
CORRELATIONS = ["pearson", "spearman", "kendall_tau_b", "weighted_tau"]


def _sample(n: int, rho: float, seed: int) -> Pair:
    normals = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)
    return normals[:, 0], normals[:, 1]


def _drawn(statistic: Statistic, pair: Pair, resamples: Resamples) -> Floats:
    draw, _ = statistic.bootstrap(pair[0].size)
    return draw(statistic.compute(*pair), *pair, resamples)


def _plain(statistic: Statistic, pair: Pair, resamples: Resamples) -> Floats:
    """The bootstrap as it is in the book: cells drawn, and the statistic computed of them."""
    return plain(statistic.compute)(0, *pair, resamples)


@pytest.mark.parametrize("name", CORRELATIONS)
@pytest.mark.parametrize("n", [12, 150])
@pytest.mark.parametrize("ties", [0, 2])
def test_of_few_cells_every_resample_is_computed_exactly(name: str, n: int, ties: int) -> None:
    x, y = (np.round(v * ties) if ties else v for v in _sample(n, 0.6, n))
    resamples = Resamples(n, 40, 0)
    ours, book = (f(known()[name], (x, y), resamples) for f in (_drawn, _plain))
    np.testing.assert_allclose(ours, book, atol=1e-9)


@cache
def _nb201(folder: Path) -> pa.Table:
    proxies = csv.read_csv(folder / "nb201_proxies_cifar10.csv.gz")
    joined = proxies.join(csv.read_csv(folder / "nb201_cifar10.csv.gz"), keys="arch")
    joined = joined.sort_by("arch")  # a join in several threads leaves the rows in any order
    some = np.random.default_rng(0).choice(joined.num_rows, 1500, replace=False)
    return joined.take(np.sort(some))


def _real(folder: Path, score: str) -> Pair:
    cells = _nb201(folder)
    y: Floats = cells["cifar10/test/accuracy@200"].to_numpy()
    if score in ("conv", "skip"):
        return np.array([name.count(score) for name in cells["arch"].to_pylist()], np.float64), y
    return cells[f"proxy/cifar10/{score}"].to_numpy(), y


@pytest.mark.parametrize("score", ["nwot", "params", "fisher", "conv", "skip"])
@pytest.mark.parametrize("name", CORRELATIONS)
def test_of_many_real_cells_resamples_are_those_of_the_plain_bootstrap(
    shared_data: Path, score: str, name: str
) -> None:
    pair, statistic = _real(shared_data, score), known()[name]
    resamples = Resamples(1500, 300, 0, exact=True)
    ours, book = (f(statistic, pair, resamples) for f in (_drawn, _plain))
    gap = np.abs(interval(ours) - interval(book)) / np.diff(interval(book))
    assert (gap < 0.06).all()
    assert np.corrcoef(ours, book)[0, 1] > 0.98


@pytest.mark.parametrize("score", ["nwot", "params", "fisher", "grad_norm", "conv", "skip"])
@pytest.mark.parametrize("name", CORRELATIONS)
def test_default_intervals_are_those_of_a_large_bootstrap(
    shared_data: Path, score: str, name: str
) -> None:
    pair, statistic = _real(shared_data, score), known()[name]
    large = interval(_drawn(statistic, pair, Resamples(1500, LARGE, 1, exact=True)))
    if statistic.error:
        value = statistic.compute(*pair)
        ours = fisher(value, statistic.error(value, *pair))
    else:
        ours = interval(_drawn(statistic, pair, Resamples(1500, 1000, 0)))
    assert (np.abs(ours - large) / np.diff(large) < 0.1).all()


def test_sums_of_many_cells_are_distributed_as_those_of_all_counts() -> None:
    columns = np.random.default_rng(0).standard_t(2, (9000, 2))
    ours, exact = (Resamples(9000, 4000, 0, way).sums(columns) for way in (False, True))
    for one, other in zip(ours.T, exact.T, strict=True):
        assert np.abs(interval(one) - interval(other)).max() < 0.06 * np.ptp(interval(other))
    assert stats.pearsonr(*ours.T)[0] == pytest.approx(stats.pearsonr(*exact.T)[0], abs=0.05)


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.98])
@pytest.mark.parametrize("name", CORRELATIONS)
def test_intervals_are_ordered_hold_the_statistic_and_stay_between_minus_1_and_1(
    rho: float, name: str
) -> None:
    pair, statistic = _sample(300, rho, 1), known()[name]
    value = statistic.compute(*pair)
    low, high = interval(_drawn(statistic, pair, Resamples(300, 200, 0)))
    assert -1 <= low < value < high <= 1
    if statistic.error:
        low, high = fisher(value, statistic.error(value, *pair))
        assert -1 <= low < value < high <= 1


def test_the_interval_agrees_with_scipys_bootstrap() -> None:
    pair = _sample(80, 0.6, 1)
    found = _drawn(known()["spearman"], pair, Resamples(80, 2000, 0))
    theirs = stats.bootstrap(
        pair, spearman, n_resamples=2000, paired=True, method="percentile", rng=2
    ).confidence_interval
    assert interval(found) == pytest.approx([theirs.low, theirs.high], abs=0.03)


def _closed(statistic: Statistic, pair: Pair) -> Floats:
    value = statistic.compute(*pair)
    assert statistic.error is not None
    return fisher(value, statistic.error(value, *pair))


def _bootstrap(statistic: Statistic, pair: Pair) -> Floats:
    return interval(_drawn(statistic, pair, Resamples(pair[0].size, 200, 0)))


@pytest.mark.parametrize("way", [_closed, _bootstrap])
@pytest.mark.parametrize("n", [150, 400])
def test_intervals_hold_the_true_value_about_95_times_in_100(
    n: int, way: Callable[[Statistic, Pair], Floats]
) -> None:
    truth = 6 / np.pi * np.arcsin(0.5 / 2)  # of Spearman's rho, for normals correlated by 0.5
    held = 0
    for seed in range(100):
        low, high = way(known()["spearman"], _sample(n, 0.5, seed))
        held += low <= truth <= high
    assert 88 <= held <= 99


@pytest.mark.parametrize("name", ["spearman", "kendall_tau_b"])
@pytest.mark.parametrize("n", [2, 3, 4, 5, 20])
def test_closed_forms_of_few_cells_are_intervals(name: str, n: int) -> None:
    for seed in range(20):
        pair, statistic = _sample(n, 0.5, seed), known()[name]
        low, high = _closed(statistic, pair)
        assert -1 <= low <= statistic.compute(*pair) <= high <= 1


def test_equal_seeds_give_equal_resamples_and_other_seeds_others() -> None:
    pair = _sample(50, 0.3, 0)
    first, again, other = (
        _drawn(known()["spearman"], pair, Resamples(50, 20, seed)) for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_all_statistics_see_the_same_resamples() -> None:
    x, y = _sample(300, 0.3, 0)
    resamples = Resamples(300, 20, 0)
    found = [_drawn(known()[name], (x, y), resamples) for name in ("spearman", "kendall_tau_b")]
    assert stats.pearsonr(*found)[0] > 0.95


def test_a_statistic_of_a_part_of_the_cells_is_resampled_with_the_rest() -> None:
    x, y = _sample(600, 0.5, 3)
    part, statistic = np.arange(0, 600, 2), known()["spearman"]
    whole = _drawn(statistic, (x, y), Resamples(600, 1000, 0))
    placed = _drawn(statistic, (x[part], y[part]), Resamples(600, 1000, 0).within(part))
    alone = _drawn(statistic, (x[part], y[part]), Resamples(300, 1000, 0))
    widths = [np.diff(interval(values)).item() for values in (whole, placed, alone)]
    assert widths[0] < widths[1] == pytest.approx(widths[2], rel=0.15)


def test_draws_without_a_value_are_left_out() -> None:
    # Half of the draws of two cells hold one of them twice, which has no correlation.
    pair = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    found = _drawn(known()["spearman"], pair, Resamples(2, 1000, 0))
    assert 300 < np.isnan(found).sum() < 700
    assert interval(found).tolist() == [pytest.approx(1), pytest.approx(1)]


def test_counts_are_those_of_the_drawn_cells() -> None:
    for resamples in (Resamples(30, 50, 0), Resamples(30, 50, 0).within(np.arange(5, 25))):
        size = 30 if resamples.cells is None else resamples.cells.size
        counts = np.stack([np.bincount(cells, minlength=size) for cells in resamples.each()])
        np.testing.assert_array_equal(resamples.counts(np.arange(size)), counts.T)
        columns = np.random.default_rng(0).normal(size=(size, 2))
        np.testing.assert_allclose(resamples.sums(columns), counts @ columns)
    assert (Resamples(30, 50, 0).counts(np.arange(30)).sum(axis=0, dtype=int) == 30).all()


@pytest.mark.parametrize("exact", [False, True])
def test_counts_that_do_not_fit_into_memory_are_drawn_for_the_cells_at_hand(
    exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_eval.resampling._KEPT", 100)
    resamples = Resamples(5000, 200, 0, exact)
    counts = resamples.counts(np.arange(100))
    assert counts.shape == (100, 200)
    assert counts.mean() == pytest.approx(1, abs=0.05)
    assert counts.var() == pytest.approx(1, abs=0.1)
    deviation = resamples.sums(np.linspace(-1, 1, 5000)[:, None]).std()
    assert deviation == pytest.approx(np.sqrt(5000 / 3), rel=0.2)


def test_seeds_that_differ_widen_the_interval_and_equal_ones_do_not() -> None:
    one = _drawn(known()["spearman"], _sample(300, 0.5, 0), Resamples(300, 1000, 0))
    same, apart = over_seeds([one, one, one], 0), over_seeds([one, one + 0.1, one - 0.1], 0)
    np.testing.assert_allclose(same, one)
    assert np.diff(interval(apart)) > 1.3 * np.diff(interval(one))


def test_every_statistic_has_a_name_of_its_own() -> None:
    assert len(chosen()) == len({statistic.name for statistic in chosen()}) == 17
