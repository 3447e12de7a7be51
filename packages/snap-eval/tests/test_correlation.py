from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from snap_eval import kendall_tau_b, pearson, spearman, weighted_tau

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats, Floats], float]

STATISTICS: dict[Statistic, Statistic] = {
    pearson: lambda x, y: stats.pearsonr(x, y).statistic,
    spearman: lambda x, y: stats.spearmanr(x, y).statistic,
    kendall_tau_b: lambda x, y: stats.kendalltau(x, y).statistic,
    weighted_tau: lambda x, y: stats.weightedtau(x, y).statistic,
}
RANKS = (spearman, kendall_tau_b, weighted_tau)


def _pairs(values: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[Floats, Floats]]:
    rows = st.lists(st.tuples(values, values), min_size=2, max_size=40)
    varied = rows.filter(lambda r: all(len(set(column)) > 1 for column in zip(*r, strict=True)))
    return varied.map(lambda r: (np.array([x for x, _ in r]), np.array([y for _, y in r])))


untied = _pairs(st.integers(-(10**6), 10**6).map(float))
tied = _pairs(st.integers(0, 3).map(float))


def _many(n: int, ties: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(n + ties)
    x = rng.normal(size=n)
    y = x + rng.normal(size=n)
    return (np.round(x * ties), np.round(y * ties)) if ties else (x, y)


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(deadline=None)
@given(pair=st.one_of(untied, tied))
def test_they_equal_scipys_tied_or_not(statistic: Statistic, pair: tuple[Floats, Floats]) -> None:
    assert statistic(*pair) == pytest.approx(STATISTICS[statistic](*pair), abs=1e-9)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("ties", [0, 1, 20])
@pytest.mark.parametrize("n", [255, 1025])
def test_they_equal_scipys_over_many_cells(statistic: Statistic, ties: int, n: int) -> None:
    pair = _many(n, ties)
    assert statistic(*pair) == pytest.approx(STATISTICS[statistic](*pair), abs=1e-12)


@settings(deadline=None)
@given(st.one_of(untied, tied))
def test_spearman_is_pearsons_correlation_of_average_ranks(pair: tuple[Floats, Floats]) -> None:
    ranks = [[(v < x).sum() + ((v == x).sum() + 1) / 2 for x in v] for v in pair]
    assert spearman(*pair) == pytest.approx(np.corrcoef(ranks)[0, 1], abs=1e-12)


@settings(deadline=None)
@given(st.one_of(untied, tied))
def test_kendall_tau_b_counts_pairs_as_its_formula_says(pair: tuple[Floats, Floats]) -> None:
    signs_x, signs_y = (np.sign(v[:, None] - v[None, :]) for v in pair)
    tau = (signs_x * signs_y).sum() / np.sqrt((signs_x**2).sum() * (signs_y**2).sum())
    assert kendall_tau_b(*pair) == pytest.approx(tau, abs=1e-12)


@pytest.mark.parametrize("statistic", RANKS)
@settings(deadline=None)
@given(pair=st.one_of(untied, tied))
def test_only_the_order_counts(statistic: Statistic, pair: tuple[Floats, Floats]) -> None:
    x, y = pair
    codes = np.unique(x, return_inverse=True)[1].astype(float)
    assert statistic(codes**3, y) == pytest.approx(statistic(x, y), abs=1e-12)


@pytest.mark.parametrize("statistic", [pearson, spearman, kendall_tau_b])
@settings(deadline=None)
@given(pair=st.one_of(untied, tied))
def test_the_reverse_order_flips_the_sign(
    statistic: Statistic, pair: tuple[Floats, Floats]
) -> None:
    x, y = pair
    assert statistic(-x, y) == pytest.approx(-statistic(x, y), abs=1e-12)


def test_the_weighted_tau_cares_most_for_the_top() -> None:
    best_swapped, worst_swapped = np.arange(20.0), np.arange(20.0)
    best_swapped[[18, 19]] = best_swapped[[19, 18]]
    worst_swapped[[0, 1]] = worst_swapped[[1, 0]]
    x = np.arange(20.0)
    assert weighted_tau(best_swapped, x) < weighted_tau(worst_swapped, x) < 1


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0, 2.0]])
def test_constant_or_too_few_values_have_no_correlation(
    statistic: Statistic, x: list[float]
) -> None:
    values, others = np.array(x), np.arange(len(x), dtype=float)
    assert np.isnan(statistic(values, others))
    assert np.isnan(statistic(others, values))


def _measured(table: pa.Table, column: str) -> Floats:
    values: Floats = table[column].to_numpy()
    return values


@pytest.mark.parametrize(
    ("proxy", "split", "rho"),
    [
        ("nwot", "test", 0.81),
        ("jacov", "valid", 0.83),
        ("nwot", "valid", 0.79),
        ("params", "valid", 0.74),
        ("zen", "valid", 0.10),
    ],
)
def test_proxies_of_nas_bench_201_rank_its_cells_as_published(
    shared_data: Path, proxy: str, split: str, rho: float
) -> None:
    proxies = csv.read_csv(shared_data / "nb201_proxies_cifar10.csv.gz")
    accuracies = csv.read_csv(shared_data / "nb201_cifar10.csv.gz")
    joined = proxies.join(accuracies, keys="arch", join_type="inner")
    assert joined.num_rows == 9445
    x = _measured(joined, f"proxy/cifar10/{proxy}")
    y = _measured(joined, f"cifar10/{split}/accuracy@200")
    assert spearman(x, y) == pytest.approx(rho, abs=0.006)
    assert kendall_tau_b(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    assert weighted_tau(x, y) == pytest.approx(stats.weightedtau(x, y).statistic, abs=1e-12)
