from importlib.metadata import EntryPoint

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_evo import plugins
from snap_evo.measuring.counts_surrogate import CountsSurrogate
from snap_evo.measuring.surrogates import fit_graphs, load_surrogate, predict_graphs
from snap_evo.objectives import Floats
from snap_graphs import graph_table, space

CELLS = graph_table("nb201", space("nb201").sample(60, 0))


class Odd:
    """A surrogate that predicts what it is given."""

    def __init__(self, mean: object, std: object) -> None:
        self._predicted = mean, std

    def fit(self, graphs: pa.Table, values: Floats, direction: str) -> None:
        raise ValueError("no\nluck")

    def predict(self, graphs: pa.Table) -> tuple[Floats, Floats]:
        return self._predicted  # type: ignore[return-value]


def only(monkeypatch: pytest.MonkeyPatch, *entries: EntryPoint) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: entries)


def test_the_packages_own_surrogate_is_registered() -> None:
    assert isinstance(load_surrogate("counts"), CountsSurrogate)


def test_a_surrogate_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    value = "snap_evo.measuring.counts_surrogate:CountsSurrogate"
    only(monkeypatch, EntryPoint("mine", value, "snap.surrogates"))
    assert isinstance(load_surrogate("mine"), CountsSurrogate)


def test_an_unknown_surrogate_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match=r"unknown surrogate 'best'; installed are .*counts"):
        load_surrogate("best")


def test_a_missing_predictor_is_answered_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    with pytest.raises(SnapError, match="'gcn' comes with snap-gcn; run: pip install snap-gcn"):
        load_surrogate("gcn:snap")


def test_a_surrogate_that_takes_no_arguments_gets_none() -> None:
    with pytest.raises(SnapError, match=r"read the surrogate 'counts:3'; write it as counts$"):
        load_surrogate("counts:3")


def test_a_broken_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, EntryPoint("broken", "snap_evo.scorers:Absent", "snap.surrogates"))
    with pytest.raises(SnapError, match=r"surrogate 'broken' cannot be loaded .*--force-reinstall"):
        load_surrogate("broken")


def test_a_surrogate_that_fails_is_reported_in_one_line() -> None:
    with pytest.raises(SnapError, match=r"^the surrogate Odd failed \(ValueError: no luck\); fix"):
        fit_graphs(Odd(0, 0), CELLS, np.zeros(60), "max")


@pytest.mark.parametrize(
    ("mean", "std", "problem"),
    [
        (np.zeros(3), np.zeros(3), r"shapes \(3,\) and \(3,\) for 60 architectures"),
        (np.full(60, np.nan), np.zeros(60), r"predicted nan \+- 0.0 for \|"),
        (np.zeros(60), np.full(60, -1.0), r"predicted 0.0 \+- -1.0 for \|"),
    ],
)
def test_what_is_no_prediction_is_refused(mean: Floats, std: Floats, problem: str) -> None:
    with pytest.raises(SnapError, match=problem):
        predict_graphs(Odd(mean, std), CELLS)


@pytest.mark.parametrize(("direction", "sign"), [("max", 1), ("min", -1)])
def test_counts_and_costs_predict_what_depends_on_them(direction: str, sign: int) -> None:
    values = np.log1p(CELLS["flops"].to_numpy().astype(np.float64))
    surrogate = CountsSurrogate()
    fit_graphs(surrogate, CELLS.slice(0, 40), sign * values[:40], direction)  # type: ignore[arg-type]
    mean, std = predict_graphs(surrogate, CELLS)
    assert np.corrcoef(mean[40:], values[40:])[0, 1] > 0.8
    assert std[40:].mean() > std[:40].mean()
