import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_evo.ranking import CHANCE_SEEDS, MeasuredAccuracy, Ranking, look_up_accuracy

METRIC = "cifar10/test/baseline_accuracy"


@pytest.fixture(autouse=True)
def _read_once(measured: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snap_evo.ranking.convert", lambda _space, _source: measured)


@pytest.fixture(scope="module")
def oracle(measured: pa.Table) -> Ranking:
    return Ranking(measured, measured[METRIC].to_numpy())


def of(oracle: Ranking, row: int, draws: int = 1000) -> MeasuredAccuracy:
    return look_up_accuracy("nb201", oracle.arch_id(row), oracle, draws)


def test_the_best_cell_of_the_space_is_the_known_one(oracle: Ranking) -> None:
    found = of(oracle, int(np.argmax(oracle.values)))
    assert found.rank == 1
    assert found.value == found.best == pytest.approx(94.07, abs=0.01)
    assert found.best_arch_id == oracle.arch_id(int(np.argmax(oracle.values)))


def test_a_cell_is_compared_with_the_whole_space(oracle: Ranking) -> None:
    row = int(np.argsort(-oracle.values, kind="stable")[99])
    found = of(oracle, row)
    assert found.value == oracle.values[row]
    assert found.rank == oracle.rank(row)
    assert found.architectures == 15_625
    assert found.mean == pytest.approx(oracle.values.mean())


def test_the_measurements_carry_their_role(oracle: Ranking) -> None:
    found = of(oracle, 0)
    assert (found.benchmark, found.metric, found.role) == ("analog-nasbench", METRIC, "test")


def test_chance_picks_what_the_scorer_rates_highest_of_the_cells_drawn(oracle: Ranking) -> None:
    found = of(oracle, 0, draws=50)
    picks = [
        oracle.values[np.random.default_rng(seed).integers(15_625, size=50)].max()
        for seed in range(CHANCE_SEEDS)
    ]
    assert found.chance_mean == pytest.approx(np.mean(picks))
    assert found.chance_deviation == pytest.approx(np.std(picks, ddof=1))


def test_chance_gains_nothing_from_a_scorer_that_knows_nothing(oracle: Ranking) -> None:
    blind = Ranking(oracle.graphs, np.zeros(len(oracle)))
    found = look_up_accuracy("nb201", oracle.arch_id(0), blind, 1000)
    assert abs(found.chance_mean - found.mean) < 4 * found.chance_deviation / np.sqrt(CHANCE_SEEDS)


def test_a_space_without_measurements_is_reported() -> None:
    with pytest.raises(SnapError, match=r"no data package holds measurements of nb101; .*table:"):
        look_up_accuracy("nb101", "2:1:", None, 10)
