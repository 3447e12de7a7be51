from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr
from snap_catalog.parquet import write
from snap_gcn.predictor import Predictor
from snap_gcn.reliability import trust
from snap_gcn.reliability.trust import Expected, assess, assess_files, expected
from snap_graphs.convert import convert

RECORD = [
    {"benchmark": name, "novelty": novelty, "disagreement": disagreement, "spearman": rho}
    for name, novelty, disagreement, rho in (
        ("near", 0.0, 0.2, 0.9),
        ("middle", 0.1, 0.4, 0.8),
        ("middle", 0.1, 0.4, 0.7),
        ("far", 1.0, 0.9, 0.3),
    )
]


@pytest.fixture(scope="module")
def analog() -> pa.Table:
    return convert("nb201")


@pytest.fixture(scope="module")
def scores(analog: pa.Table) -> pa.Table:
    return Predictor.bundled().predict(analog)


@pytest.mark.parametrize(
    ("novelty", "disagreement", "told"),
    [
        (0.02, 0.25, Expected(0.7, 0.9, ("near", "middle"))),
        (0.7, 0.8, Expected(0.3, 0.8, ("far", "middle"))),
        (0.2, None, Expected(0.7, 0.9, ("near", "middle"))),
        (1.5, 0.95, Expected(None, 0.3, ("far",))),
        (0.3, 0.5, Expected(0.3, 0.9, ("middle", "near", "far"))),
    ],
)
def test_what_to_expect_is_what_the_nearest_benchmarks_showed(
    novelty: float, disagreement: float | None, told: Expected
) -> None:
    assert expected(RECORD, novelty, disagreement) == told


def test_a_single_member_is_placed_by_novelty_alone() -> None:
    record = [{**entry, "disagreement": None} for entry in RECORD]
    assert expected(record, 0.9, None) == Expected(0.3, 0.8, ("far", "middle"))
    assert expected(record, 1.1, None) == Expected(None, 0.3, ("far",))


def test_without_a_record_nothing_is_expected() -> None:
    assert expected([], 0.0, 0.0) is None


def test_agreement_is_spearmans_with_costs_and_operator_counts(
    analog: pa.Table, scores: pa.Table
) -> None:
    told = assess(Predictor.bundled(), analog, scores)
    score = scores["score"].to_numpy()
    skips = [nodes.count("skip_connect") for nodes in analog["nodes"].to_pylist()]
    assert told.agreement["skip_connect"] == pytest.approx(spearmanr(score, skips).statistic)
    params = spearmanr(score, analog["params"].to_numpy()).statistic
    assert told.agreement["params"] == pytest.approx(params)
    assert "input" not in told.agreement


def test_operators_unlike_those_of_training_are_named(analog: pa.Table, scores: pa.Table) -> None:
    told = assess(Predictor.bundled(), analog, scores)
    assert list(told.operators) == ["avg_pool_3x3"]
    assert 0 < told.unseen_shapes < 0.2
    assert told.architectures == 15_625
    line = str(told)
    assert "operators unlike those of training: avg_pool_3x3 0.34" in line
    assert "rank agreement: params 0." in line
    assert told.disagreement is not None
    assert f"novelty {told.novelty:.2f}; spread over the members: {told.disagreement:.0%}" in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["snap", "paper"])
def test_a_bundled_predictor_says_what_to_expect(name: str) -> None:
    record = Predictor.bundled(name).model.config["calibration"]
    assert {entry["benchmark"] for entry in record} == {
        "nb101 (held out)",
        "nb201",
        "transnas-micro",
        "darts",
    }


def test_of_a_large_file_evenly_spaced_rows_are_looked_at(
    analog: pa.Table, scores: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "_SAMPLE", 1000)
    monkeypatch.setattr(trust, "_AT_ONCE", 777)
    write(analog, tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    write(scores, tmp_path / "s.parquet", "scores", producer="snap-gcn")
    told = assess_files(Predictor.bundled(), f"{tmp_path}/g.parquet", f"{tmp_path}/s.parquet")
    rows = np.arange(0, 15_625, 16)
    assert told == assess(Predictor.bundled(), analog.take(rows), scores.take(rows))


def test_few_architectures_and_none_at_all_are_told_without_correlations(
    analog: pa.Table, scores: pa.Table
) -> None:
    for count in (0, 1, 9):
        told = assess(Predictor.bundled(), analog.slice(0, count), scores.slice(0, count))
        assert told.agreement == {}
        assert "rank agreement: unknown" in str(told)
