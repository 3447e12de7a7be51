from importlib.metadata import entry_points

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr
from snap_catalog import operators
from snap_catalog.parquet import decode_metadata, write
from snap_gcn.predictor import Predictor
from snap_gcn.vocabulary import Vocabulary
from snap_graphs import graph_table, space
from snap_graphs.convert import convert


@pytest.fixture(scope="module")
def analog() -> pa.Table:
    return convert("nb201")


def test_the_bundled_predictor_reads_every_catalogued_operator(vocabulary: Vocabulary) -> None:
    known = {(op.space, op.name) for ops in operators().values() for op in ops}
    assert known <= set(vocabulary.rows)


def test_the_bundled_predictor_was_trained_on_nas_bench_101_alone() -> None:
    training = Predictor.bundled().model.config["training"]
    assert training["benchmark"] == "nb101"
    assert training["n_train"] == 381_056


def test_scores_are_in_the_contract(analog: pa.Table, tmp_path: object) -> None:
    scores = Predictor.bundled().predict(analog)
    write(scores, f"{tmp_path}/scores.parquet", "scores", producer="snap-gcn")
    entries = decode_metadata(scores.schema)
    assert entries["snap.scorer"] == "gcn:paper"
    assert entries["snap.seed"] == "0"
    assert len(entries["snap.training_sha256"]) == 64


def test_novelty_is_nought_in_the_space_of_training_only(analog: pa.Table) -> None:
    nb101 = graph_table("nb101", [space("nb101").parse("4:111101:3m")])
    assert Predictor.bundled().predict(nb101)["novelty"].to_pylist() == pytest.approx([0], abs=1e-6)
    assert min(Predictor.bundled().predict(analog)["novelty"].to_pylist()) >= 0
    assert max(Predictor.bundled().predict(analog)["novelty"].to_pylist()) > 0.1


def test_the_search_finds_the_predictor_by_its_entry_point(analog: pa.Table) -> None:
    (found,) = entry_points(group="snap.scorers", name="gcn")
    scores = found.load()().score(analog.slice(0, 5))
    np.testing.assert_allclose(scores, Predictor.bundled().score(analog.slice(0, 5)))


def test_an_empty_table_gets_no_scores(analog: pa.Table) -> None:
    assert Predictor.bundled().predict(analog.slice(0, 0)).num_rows == 0


def test_the_bundled_predictor_ranks_a_space_it_has_never_seen(analog: pa.Table) -> None:
    accuracy = analog["cifar10/test/baseline_accuracy"].to_numpy()
    rho = spearmanr(Predictor.bundled().score(analog), accuracy).statistic
    assert rho == pytest.approx(0.6606, abs=0.002)
