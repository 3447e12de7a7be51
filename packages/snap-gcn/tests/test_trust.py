from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from msgspec import structs
from scipy.stats import spearmanr
from snap_catalog import SnapError, benchmark
from snap_catalog.parquet import write
from snap_gcn.predictor import Predictor
from snap_gcn.reliability import trust
from snap_gcn.reliability.trust import assess, assess_files
from snap_graphs.convert import convert


@pytest.fixture(scope="module")
def analog() -> pa.Table:
    return convert("nb201")


@pytest.fixture(scope="module")
def scores(analog: pa.Table) -> pa.Table:
    return Predictor.bundled().predict(analog)


def test_agreement_is_spearmans_with_costs_and_operator_counts(
    analog: pa.Table, scores: pa.Table
) -> None:
    assessed = assess(Predictor.bundled(), analog, scores)
    score = scores["score"].to_numpy()
    skips = [nodes.count("skip_connect") for nodes in analog["nodes"].to_pylist()]
    assert assessed.agreement["skip_connect"] == pytest.approx(spearmanr(score, skips).statistic)
    params = spearmanr(score, analog["params"].to_numpy()).statistic
    assert assessed.agreement["params"] == pytest.approx(params)
    assert "input" not in assessed.agreement


def test_operators_unlike_those_of_training_are_named(analog: pa.Table, scores: pa.Table) -> None:
    assessed = assess(Predictor.bundled(), analog, scores)
    assert list(assessed.operators) == ["avg_pool_3x3"]
    assert 0 < assessed.unseen_shapes < 0.2
    assert assessed.architectures == 15_625
    lines = str(assessed).splitlines()
    assert "  operators unlike those of training: avg_pool_3x3 0.34" in lines
    assert assessed.disagreement is not None
    assert f"  graphs of unseen shape: 14%; novelty {assessed.novelty:.2f}" in lines
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize("name", ["snap", "paper"])
def test_no_part_of_nas_bench_201_is_warned_of(analog: pa.Table, name: str) -> None:
    predictor = Predictor.bundled(name)
    scores = predictor.predict(analog)
    best = np.argsort(-scores["score"].to_numpy(), kind="stable")
    random = np.random.default_rng(0).permutation(len(best))
    for rows in (best, best[:1500], best[:30], best[-100:], best[8000:8100], random[:20], best[:2]):
        assessed = assess(predictor, analog.take(rows), scores.take(rows))
        assert "do not rely" not in assessed.verdict
    whole = assess(predictor, analog, scores)
    assert whole.verdict.startswith("rely on this ranking as on nb201 (Spearman 0.")


def test_equal_scores_rank_nothing(analog: pa.Table, scores: pa.Table) -> None:
    equal = scores.take([7] * 20)
    assessed = assess(Predictor.bundled(), analog.take([7] * 20), equal)
    assert assessed.verdict == "nothing is ranked: the scores of all 20 architectures are equal"
    assert (assessed.expected, assessed.disagreement) == (None, None)


def test_operators_that_are_described_otherwise_are_not_those_of_a_measured_space(
    analog: pa.Table,
) -> None:
    predictor = Predictor.bundled()
    nb201 = pc.field("space") == "nb201"
    table = predictor.vocabulary.table.filter(nb201)
    opposite = pa.FixedSizeListArray.from_arrays(
        pc.negate(table["embedding"].combine_chunks().flatten()), table["embedding"].type.list_size
    )
    column = table.schema.get_field_index("embedding")
    reader = predictor.with_operators(table.set_column(column, "embedding", opposite))
    sample = analog.slice(0, 2000)
    assessed = assess(reader, sample, reader.predict(sample))
    assert assessed.verdict.startswith("do not rely on this ranking: ")
    assert assessed.expected is None


def test_members_that_rank_whole_networks_are_not_relied_on(shared_data: Path) -> None:
    macro = convert("transnas-macro", source=str(shared_data / "tnb101_macro_2tasks.csv.gz"))
    predictor = Predictor.bundled("paper")
    trust = assess(predictor, macro, predictor.predict(macro))
    assert trust.verdict.startswith("do not rely on this ranking: ")
    assert trust.prior == 0


def test_a_model_without_a_calibration_has_no_expectation(cells: pa.Table) -> None:
    model = Predictor.bundled().model
    config = structs.replace(model.config, calibration=None)
    predictor = Predictor(replace(model, config=config))
    assessed = assess(predictor, cells, predictor.predict(cells))
    assert assessed.expected is None
    assert "as on the model's held-out training cells (Kendall's tau 0.73)" in assessed.verdict


@pytest.mark.parametrize("name", ["snap", "paper"])
def test_a_bundled_predictor_is_calibrated_on_held_out_cells_and_develop_benchmarks(
    name: str,
) -> None:
    config = Predictor.bundled(name).model.config
    assert config.calibration is not None
    cells = {entry["benchmark"] for entry in config.calibration.benchmarks}
    networks = (
        {entry["benchmark"] for entry in config.networks.benchmarks} if config.networks else set()
    )
    assert cells - {"transnas-macro"} == {"nb101", "nb201", "transnas-micro", "darts"}
    assert ("transnas-macro" in cells) == (name == "paper")
    assert networks == ({"transnas-macro", "timm"} if config.prior else set())
    for entry in config.calibration.benchmarks[1:]:
        facts = benchmark(entry["benchmark"]).facts(entry["metric"])
        assert facts is not None
        assert facts.role == "develop"


def test_of_a_large_file_evenly_spaced_rows_are_looked_at(
    analog: pa.Table, scores: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "_SAMPLE", 1000)
    monkeypatch.setattr(trust, "_AT_ONCE", 777)
    write(analog, tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    write(scores, tmp_path / "s.parquet", "scores", producer="snap-gcn")
    assessed = assess_files(Predictor.bundled(), f"{tmp_path}/g.parquet", f"{tmp_path}/s.parquet")
    rows = np.arange(0, 15_625, 16)
    assert assessed == assess(Predictor.bundled(), analog.take(rows), scores.take(rows))


def test_scores_that_may_be_of_several_scorers_are_not_assessed(
    analog: pa.Table, scores: pa.Table, tmp_path: Path
) -> None:
    few, path = analog.slice(0, 4), str(tmp_path / "s.parquet")
    write(few, tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    table = scores.slice(0, 4).append_column("scorer", pa.array(["a", "b"] * 2))
    write(table, path, "scores", producer="snap-gcn")
    with pytest.raises(SnapError, match=r"s\.parquet: has a column 'scorer'; give scores as"):
        assess_files(Predictor.bundled(), str(tmp_path / "g.parquet"), path)


def test_few_architectures_and_none_at_all_are_reported_without_correlations(
    analog: pa.Table, scores: pa.Table
) -> None:
    for count in (0, 1, 9):
        assessed = assess(Predictor.bundled(), analog.slice(0, count), scores.slice(0, count))
        assert assessed.agreement == {}
        assert "rank agreement: unknown" in str(assessed)
        assert (
            assessed.verdict
            == {
                0: "nothing is ranked: there is no architecture",
                1: "nothing is ranked: there is 1 architecture",
                9: "too few architectures (9) to judge their ranking",
            }[count]
        )
