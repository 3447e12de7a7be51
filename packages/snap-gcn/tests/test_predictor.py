from importlib.metadata import entry_points

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr
from snap_catalog import operators
from snap_catalog.parquet import decode_metadata, write
from snap_gcn.data.views import viewed
from snap_gcn.model.folder import Model, joined
from snap_gcn.model.paths import VIEWS
from snap_gcn.model.recipe import BUNDLED, PRESETS, from_config
from snap_gcn.predictor import Predictor
from snap_graphs import Graphs, graph_table, space
from snap_graphs.convert import convert


@pytest.fixture(scope="module")
def analog() -> pa.Table:
    return convert("nb201")


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_predictor_reads_every_catalogued_operator(name: str) -> None:
    known = {(op.space, op.name) for ops in operators().values() for op in ops}
    assert known <= set(Predictor.bundled(name).vocabulary.rows)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_predictor_was_trained_on_nas_bench_101_alone(name: str) -> None:
    config = Predictor.bundled(name).model.config
    assert config["training"]["benchmark"] == "nb101"
    assert config["training"]["n_train"] == 381_056
    assert {space for space, _ in config["trained_operators"]} == {"nb101"}


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_predictor_follows_its_preset(name: str) -> None:
    recipes = [from_config(entry) for entry in Predictor.bundled(name).model.config["members"]]
    assert tuple(recipes) == PRESETS[name].members


def test_scores_are_in_the_contract(analog: pa.Table, tmp_path: object) -> None:
    scores = Predictor.bundled().predict(analog)
    write(scores, f"{tmp_path}/scores.parquet", "scores", producer="snap-gcn")
    entries = decode_metadata(scores.schema)
    assert entries["snap.scorer"] == "gcn:snap"
    assert entries["snap.seed"] == "0"
    assert len(entries["snap.training_sha256"]) == 64


def test_novelty_is_nought_in_the_space_of_training_only(analog: pa.Table) -> None:
    nb101 = graph_table("nb101", [space("nb101").parse("4:111101:3m")])
    assert Predictor.bundled().predict(nb101)["novelty"].to_pylist() == pytest.approx([0], abs=1e-6)
    assert min(Predictor.bundled().predict(analog)["novelty"].to_pylist()) >= 0
    assert max(Predictor.bundled().predict(analog)["novelty"].to_pylist()) > 0.05


def test_the_search_finds_the_predictor_by_its_entry_point(analog: pa.Table) -> None:
    (found,) = entry_points(group="snap.scorers", name="gcn")
    scores = found.load()().score(analog.slice(0, 5))
    np.testing.assert_allclose(scores, Predictor.bundled().score(analog.slice(0, 5)))


def test_an_empty_table_gets_no_scores(analog: pa.Table) -> None:
    assert Predictor.bundled().predict(analog.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(("name", "expected"), [("snap", 0.9085), ("paper", 0.6606)])
def test_a_bundled_predictor_ranks_a_space_it_has_never_seen(
    analog: pa.Table, name: str, expected: float
) -> None:
    accuracy = analog["cifar10/test/baseline_accuracy"].to_numpy()
    rho = spearmanr(Predictor.bundled(name).score(analog), accuracy).statistic
    assert rho == pytest.approx(expected, abs=0.002)


def test_the_score_is_the_members_mean_and_what_paths_add(analog: pa.Table) -> None:
    few = analog.slice(0, 50)
    whole = Predictor.bundled()
    members = whole.model.config["members"]
    alone = [Predictor(_only(whole.model, i)) for i, m in enumerate(members) if not m["home"]]
    scores = np.stack([member.score(few) for member in alone])
    assert whole.paths is not None
    seen = viewed(few, VIEWS)
    graphs = Graphs.from_table(seen)
    op = whole.vocabulary.find(seen, graphs, "few")
    paths = whole.paths.score(graphs, op, whole.vocabulary.vectors)
    told = whole.predict(few)
    expected = scores.mean(axis=0) + PRESETS["snap"].paths * paths
    np.testing.assert_allclose(told["score"].to_numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(told["spread"].to_numpy(), scores.std(axis=0), atol=1e-6)
    assert alone[0].predict(few)["spread"].null_count == 50


def _only(model: Model, number: int) -> Model:
    config = {**model.config, "members": [model.config["members"][number]], "paths": 0.0}
    return Model(config, joined([model.member(number)]), model.operators)
