import itertools
from statistics import mean

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_eval.picks import PICKS, best_at, draw_picks, precision_at, regret_at, within_top
from snap_eval.resampling import Resamples

Floats = npt.NDArray[np.float64]

_CELLS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=6)


def _orders(values: Floats) -> list[list[int]]:
    """All orders of cells in which no value comes after a lower one."""
    return [
        list(order)
        for order in itertools.permutations(range(values.size))
        if (np.diff(values[list(order)]) <= 0).all()
    ]


@settings(deadline=None)
@given(cells=_CELLS, data=st.data())
def test_they_are_means_over_all_orders_of_tied_cells(
    cells: list[tuple[int, int]], data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, len(cells)))
    score, measured = np.array(cells, np.float64).T
    picks, bests = _orders(score), _orders(measured)
    best = mean(float(measured[order[:k]].max()) for order in picks)
    shared = mean(len({*a[:k]} & {*b[:k]}) for a in picks for b in bests)
    assert best_at(score, measured, k) == pytest.approx(best)
    assert regret_at(score, measured, k) == pytest.approx(measured.max() - best, abs=1e-9)
    assert precision_at(score, measured, k) == pytest.approx(shared / k)


@pytest.mark.parametrize("levels", [2, 7, 10**6])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_a_resamples_are_those_of_the_drawn_cells(levels: int, k: int) -> None:
    rng = np.random.default_rng(levels)
    score, measured = rng.integers(0, levels, 300).astype(float), rng.normal(size=300).round(1)
    resamples = Resamples(300, 20, 0, exact=True)
    cells = [*resamples.each()]
    for which, compute in enumerate(PICKS):
        found = draw_picks(which, k)(0, score, measured, resamples)
        expected = [compute(score[drawn], measured[drawn], k) for drawn in cells]
        # Deep in a long group of tied cells, similar measurements are taken as one.
        np.testing.assert_allclose(found, expected, atol=1e-9 if levels > 2 else 0.05)


def test_more_picks_than_cells_have_no_worth() -> None:
    x = np.arange(3.0)
    assert np.isnan([f(x, x, 4) for f in (precision_at, best_at, regret_at)]).all()


def test_a_perfect_order_picks_the_best_and_its_reverse_the_worst() -> None:
    x = np.arange(50.0)
    assert (precision_at(x, x, 10), best_at(x, x, 10), regret_at(x, x, 10)) == (1, 49, 0)
    assert (precision_at(-x, x, 10), best_at(-x, x, 10), regret_at(-x, x, 10)) == (0, 9, 40)


def test_the_top_is_by_measurement_and_takes_ties_with_its_last_cell() -> None:
    measured = np.array([90.0, 90.0, *range(17), 95.0])
    assert within_top(measured, 10).tolist() == [0, 1, 19]
    assert within_top(measured, 1).tolist() == [19]
    assert within_top(np.arange(1000.0), 10).size == 100


@pytest.mark.parametrize("levels", [3, 10**6])
def test_resamples_with_fewer_cells_than_picks_are_undefined(levels: int) -> None:
    rng = np.random.default_rng(levels)
    score, measured = rng.integers(0, levels, 104).astype(float), rng.normal(size=104)
    resamples = Resamples(300, 40, 0, exact=True).within(np.arange(104))
    drawn = np.array([cells.size for cells in resamples.each()])
    assert 0 < (drawn < 100).sum() < 40
    for which in range(len(PICKS)):
        found = draw_picks(which, 100)(0, score, measured, resamples)
        assert np.isfinite(found[drawn >= 100]).all()
        assert not np.isfinite(found[drawn < 100]).any()
