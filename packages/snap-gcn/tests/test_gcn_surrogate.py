"""The predictor as what learns in a search."""

from importlib.metadata import entry_points

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_eval import spearman
from snap_gcn.adaptation.gcn_surrogate import GcnSurrogate
from snap_gcn.predictor import Examined, Predictor
from snap_graphs import Cell, graph_table, space

METRIC = "cifar10/test/baseline_accuracy"


@pytest.fixture(scope="module")
def analog(measured_cells: pa.Table) -> pa.Table:
    return measured_cells.slice(0, 400)


@pytest.fixture(scope="module")
def accuracy(analog: pa.Table) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = analog[METRIC].to_numpy()
    return values


def test_it_is_found_by_its_name() -> None:
    (entry,) = entry_points(group="snap.surrogates", name="gcn")
    assert entry.load() is GcnSurrogate


def test_measurements_order_the_rest_better(
    analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    surrogate = GcnSurrogate()
    before = spearman(surrogate.predict(analog)[0][100:], accuracy[100:])
    surrogate.fit(analog.slice(0, 100), accuracy[:100], "max")
    mean, std = surrogate.predict(analog)
    assert spearman(mean[100:], accuracy[100:]) > before + 0.02
    assert (std > 0).all()
    assert std[:100].mean() < std[100:].mean()


def test_more_is_better_whatever_the_direction(
    analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    surrogate, few = GcnSurrogate(), analog.slice(0, 30)
    surrogate.fit(few, accuracy[:30], "max")
    more = surrogate.predict(analog)
    surrogate.fit(few, -accuracy[:30], "min")
    np.testing.assert_allclose(surrogate.predict(analog), more)


@pytest.mark.parametrize("values", [[], [90.0], [90.0, 90.0, 90.0]])
def test_without_differences_the_predictor_s_order_stays(
    values: list[float], analog: pa.Table
) -> None:
    surrogate = GcnSurrogate()
    surrogate.fit(analog.slice(0, len(values)), np.array(values), "max")
    mean, std = surrogate.predict(analog)
    assert spearman(mean, Predictor.bundled().score(analog)) > 0.9999
    assert np.isfinite(std).all()


def test_a_repeated_measurement_counts_twice(
    analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    surrogate, rows = GcnSurrogate(), np.arange(10)
    surrogate.fit(analog.take(rows), accuracy[rows], "max")
    once = surrogate.predict(analog.slice(0, 1))[1]
    again = np.append(rows, [0, 0, 0])
    surrogate.fit(analog.take(again), accuracy[again], "max")
    assert surrogate.predict(analog.slice(0, 1))[1] < once


def test_an_architecture_is_examined_once(
    analog: pa.Table, accuracy: npt.NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    surrogate = GcnSurrogate()
    first = surrogate.predict(analog)[0]

    def refused(*_: object, **__: object) -> Examined:
        raise AssertionError("examined again")

    monkeypatch.setattr(Predictor, "examine", refused)
    surrogate.fit(analog.slice(0, 5), accuracy[:5], "max")
    surrogate.predict(analog.take(np.arange(400)[::-1]))
    surrogate.fit(analog.slice(0, 0), np.empty(0), "max")
    np.testing.assert_allclose(surrogate.predict(analog)[0], first)


def test_operators_that_come_later_are_looked_at() -> None:
    plain, convs = (
        Cell(("input", op, op, "output"), ((0, 1), (1, 2), (2, 3)))
        for op in ("skip_connect", "nor_conv_3x3")
    )
    one = graph_table("nb201", [plain], arch_ids=["plain"])
    both = graph_table("nb201", [plain, convs], arch_ids=["plain", "convs"])
    surrogate = GcnSurrogate()
    surrogate.predict(one)
    surrogate.fit(both, np.array([10.0, 90.0]), "max")
    poor, good = surrogate.predict(both)[0]
    assert poor < good


def test_cells_of_a_search_that_never_repeats_them_are_predicted() -> None:
    darts, random = space("darts"), np.random.default_rng(0)
    surrogate = GcnSurrogate()
    for _ in range(3):
        cells = [darts.decode(random.random(darts.n_variables)) for _ in range(20)]
        mean, std = surrogate.predict(graph_table("darts", cells))
        assert mean.shape == std.shape == (20,)
        assert np.isfinite([mean, std]).all()
    assert [part.shape for part in surrogate.predict(graph_table("darts", []))] == [(0,), (0,)]


@pytest.mark.parametrize("values", [[1.0], [1.0, np.nan]])
def test_values_that_do_not_fit_the_graphs_are_refused(
    values: list[float], analog: pa.Table
) -> None:
    with pytest.raises(SnapError, match="values of 2 architectures"):
        GcnSurrogate().fit(analog.slice(0, 2), np.array(values), "max")
