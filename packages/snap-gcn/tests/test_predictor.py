from importlib.metadata import entry_points

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from snap_catalog import operators
from snap_catalog.parquet import decode_metadata, write
from snap_gcn import predictor as predictor_module
from snap_gcn.data.views import all_viewed, one_form
from snap_gcn.model.path_model import VIEWS, PathModel, kinds, statistics
from snap_gcn.model.recipe import BUNDLED, PRESETS, View, grouped
from snap_gcn.model.runtime import Runtime
from snap_gcn.predictor import Predictor
from snap_graphs import Cell, Graphs, graph_table, space, views
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
    assert config.training.benchmark == "nb101"
    assert config.training.n_train == 381_056
    assert {space for space, _ in config.trained_operators} == {"nb101"}


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_predictor_follows_its_preset(name: str) -> None:
    assert tuple(Predictor.bundled(name).model.config.members) == PRESETS[name].members


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


@pytest.mark.parametrize(("name", "expected"), [("snap", 0.9063), ("paper", 0.6606)])
def test_a_bundled_predictor_ranks_a_space_it_has_never_seen(
    analog: pa.Table, name: str, expected: float
) -> None:
    accuracy = analog["cifar10/test/baseline_accuracy"].to_numpy()
    rho = spearmanr(Predictor.bundled(name).score(analog), accuracy).statistic
    assert rho == pytest.approx(expected, abs=0.002)


def test_the_score_is_the_members_mean_and_what_paths_add(analog: pa.Table) -> None:
    few = analog.slice(0, 50)
    whole = Predictor.bundled()
    model, vectors = whole.model, whole.vocabulary.vectors
    groups = grouped(model.config.members)
    runtime = Runtime(model.networks, groups, "model.onnx")
    scores = np.concatenate(
        [
            runtime.score(group, *seen(whole, few, group.views), vectors)
            for group in groups
            if not group.training_space
        ]
    )
    paths = PathModel.from_tensors(model.part("paths"), vectors.shape[1], "model.safetensors")
    graphs, op = seen(whole, few, VIEWS)
    through = statistics(graphs, op, kinds(vectors, paths.examples))
    added = model.config.paths * paths.score(graphs, through)
    found = whole.predict(few)
    expected = scores.mean(axis=0) + added
    np.testing.assert_allclose(found["score"].to_numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(found["spread"].to_numpy(), scores.std(axis=0), atol=1e-5)
    assert Predictor.bundled("paper").predict(few)["spread"].null_count == 50


def seen(
    predictor: Predictor, table: pa.Table, names: tuple[View, ...]
) -> tuple[Graphs, npt.NDArray[np.int64]]:
    spaces, everyone = table["space"], np.ones(table.num_rows, np.bool_)
    formed = views.with_shortcuts(one_form(Graphs.from_table(table), spaces), spaces, everyone)
    graphs = all_viewed(formed, spaces, [names])[names]
    return graphs, predictor.vocabulary.find(spaces, graphs, "cells")


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from(BUNDLED))
def test_equal_networks_get_equal_scores_in_all_parts_of_a_table(seed: int, name: str) -> None:
    random = np.random.default_rng(seed)
    darts = space("darts")
    drawn = [darts.decode(random.random(darts.n_variables)) for _ in range(12)]
    renumbered = [shuffled(cell, random) for cell in drawn]
    order = random.permutation(24)
    cells = [[*drawn, *renumbered][i] for i in order]
    # Costs are counted by the space's own numbering, so that those of the renumbered differ.
    table = graph_table("darts", cells, arch_ids=[str(i) for i in order]).drop_columns(
        ["params", "flops", "activations"]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictor_module, "ROWS", 5)
        found = Predictor.bundled(name).predict(table)
    by_id = dict(zip(found["arch_id"].to_pylist(), found["score"].to_pylist(), strict=True))
    assert [by_id[str(i)] for i in range(12)] == [by_id[str(i)] for i in range(12, 24)]


def shuffled(cell: Cell, random: np.random.Generator) -> Cell:
    """The same cell, its nodes in another topological order."""
    inputs, left, order = cell.nodes.count("input"), set(range(len(cell.nodes) - 1)), list[int]()
    left -= set(range(inputs))
    order += range(inputs)
    while left:
        free = [v for v in left if all(s in order for s, d in cell.edges if d == v)]
        order.append(int(random.choice(free)))
        left.remove(order[-1])
    order.append(len(cell.nodes) - 1)
    place = {node: i for i, node in enumerate(order)}
    edges = sorted((place[s], place[d]) for s, d in cell.edges)
    return Cell(tuple(cell.nodes[node] for node in order), tuple(edges))


def test_dead_operators_make_no_difference(analog: pa.Table) -> None:
    strings = [
        "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
        "|nor_conv_3x3~0|+|avg_pool_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
    ]
    one, other = Predictor.bundled().score(strings, space="nb201")
    assert one == other


def test_scores_keep_to_a_stated_tolerance_whatever_is_scored_with_them(analog: pa.Table) -> None:
    predictor = Predictor.bundled()
    whole = predictor.score(analog)
    alone = np.concatenate([predictor.score(analog.slice(i, 7)) for i in range(0, 700, 7)])
    np.testing.assert_allclose(alone, whole[:700], atol=1e-5 * np.abs(whole).max())


def test_a_network_of_5000_nodes_is_scored() -> None:
    nodes = ("input", *["nor_conv_3x3", "skip_connect"] * 2_499, "output")
    cell = Cell(nodes, tuple((i, i + 1) for i in range(len(nodes) - 1)))
    assert np.isfinite(Predictor.bundled().score([cell], space="nb201")).all()


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(("nb201", "transnas-micro", "darts", "nds", "nb101"))
)
def test_networks_that_differ_in_identities_alone_get_equal_figures(seed: int, name: str) -> None:
    random = np.random.default_rng(seed)
    known = space(name)
    cells = [known.decode(random.random(known.n_variables)) for _ in range(6)]
    table = graph_table(name, cells, arch_ids=[str(i) for i in range(6)])
    again = views.insert_identities(views.insert_identities(table, random, 0.3), random, 0.3)
    found = Predictor.bundled().predict(pa.concat_tables([table, again]))
    figures = found.select(["score", "spread", "novelty"])
    assert figures.slice(0, 6).equals(figures.slice(6))


def test_a_cell_among_many_parallel_identities_is_scored() -> None:
    nodes, edges = ["input"], list[tuple[int, int]]()
    for start in range(0, 60, 3):
        nodes += ["skip_connect"] * 3
        edges += [(start, start + 1), (start, start + 2), (start + 1, start + 3)]
        edges += [(start + 2, start + 3)]
    edges.append((len(nodes) - 1, len(nodes)))
    cell = Cell((*nodes, "output"), tuple(sorted(edges)))
    assert np.isfinite(Predictor.bundled().score([cell], space="nb201")).all()
