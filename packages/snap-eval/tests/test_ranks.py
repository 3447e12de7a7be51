from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.csv as csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from snap_eval import kendall_tau_b, spearman

Floats = npt.NDArray[np.float64]


def _pairs(values: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[Floats, Floats]]:
    rows = st.lists(st.tuples(values, values), min_size=2, max_size=40)
    varied = rows.filter(lambda r: all(len(set(column)) > 1 for column in zip(*r, strict=True)))
    return varied.map(lambda r: (np.array([x for x, _ in r]), np.array([y for _, y in r])))


untied = _pairs(st.floats(-1e6, 1e6))
tied = _pairs(st.integers(0, 3).map(float))


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


@settings(deadline=None)
@given(st.one_of(untied, tied))
def test_both_equal_scipy(pair: tuple[Floats, Floats]) -> None:
    assert spearman(*pair) == pytest.approx(stats.spearmanr(*pair).statistic, abs=1e-12)
    assert kendall_tau_b(*pair) == pytest.approx(stats.kendalltau(*pair).statistic, abs=1e-12)


@settings(deadline=None)
@given(st.one_of(untied, tied))
def test_only_the_order_counts_and_its_reverse_flips_the_sign(pair: tuple[Floats, Floats]) -> None:
    x, y = pair
    codes = np.unique(x, return_inverse=True)[1].astype(float)
    for statistic in (spearman, kendall_tau_b):
        assert statistic(codes**3, y) == pytest.approx(statistic(x, y), abs=1e-12)
        assert statistic(-x, y) == pytest.approx(-statistic(x, y), abs=1e-12)


@pytest.mark.parametrize("statistic", [spearman, kendall_tau_b])
@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0, 2.0]])
def test_constant_or_too_few_values_have_no_correlation(statistic: object, x: list[float]) -> None:
    assert callable(statistic)
    values, others = np.array(x), np.arange(len(x), dtype=float)
    assert np.isnan(statistic(values, others))
    assert np.isnan(statistic(others, values))


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
    measured = csv.read_csv(shared_data / "nb201_cifar10.csv.gz")
    joined = proxies.join(measured, keys="arch", join_type="inner")
    assert joined.num_rows == 9445
    x, y = joined[f"proxy/cifar10/{proxy}"], joined[f"cifar10/{split}/accuracy@200"]
    assert spearman(x.to_numpy(), y.to_numpy()) == pytest.approx(rho, abs=0.006)
