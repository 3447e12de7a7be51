import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from snap_gcn.model import prior
from snap_gcn.predictor import Predictor
from snap_gcn.reliability.trust import assess
from snap_graphs import Graphs, graph_table, space
from snap_graphs.convert import convert

TYPES = {
    "params": pa.int64(),
    "flops": pa.int64(),
    "activations": pa.int64(),
    "node_shape": pa.list_(pa.list_(pa.int32())),
    "node_params": pa.list_(pa.int64()),
    "node_flops": pa.list_(pa.int64()),
}
COUNTS = st.integers(0, 2**50)
SIDES = st.integers(1, 512)


def networks(rows: Sequence[Mapping[str, Any]], texts: Mapping[str, str] | None = None) -> pa.Table:
    """Lay out chains of nodes with their costs; a missing cost is null."""
    columns: dict[str, Any] = {
        "space": pa.array(["mine"] * len(rows)),
        "arch_id": pa.array([str(i) for i in range(len(rows))]),
        "nodes": pa.array([row["nodes"] for row in rows], pa.list_(pa.string())),
    }
    lengths = [len(row["nodes"]) for row in rows]
    columns["src"] = pa.array([range(n - 1) for n in lengths], pa.list_(pa.int16()))
    columns["dst"] = pa.array([range(1, n) for n in lengths], pa.list_(pa.int16()))
    for name, kind in TYPES.items():
        columns[name] = pa.array([row.get(name) for row in rows], kind)
    metadata = {"snap.operators": json.dumps(texts)} if texts else None
    return pa.table(columns).replace_schema_metadata(metadata)


def convolutions(
    widths: Sequence[int], side: int = 32, name: str = "conv3x3-bn-relu"
) -> dict[str, Any]:
    """Return a chain of 3x3 convolutions that keep the side."""
    entering = [3, *widths[:-1]]
    params = [9 * a * b for a, b in zip(entering, widths, strict=True)]
    flops = [p * side**2 for p in params]
    shapes = [[3, side, side], *([w, side, side] for w in widths), [10]]
    return {
        "nodes": ["input", *[name] * len(widths), "output"],
        "params": sum(params),
        "flops": sum(flops),
        "activations": sum(widths) * side**2,
        "node_shape": shapes,
        "node_params": [0, *params, 0],
        "node_flops": [0, *flops, 0],
    }


def scored(*rows: Mapping[str, Any]) -> list[float]:
    """Return the prior of networks."""
    table = networks(rows)
    scores: list[float] = prior.sizes(table, Graphs.from_table(table), {}).score().tolist()
    return scores


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_more_activations_never_lower_the_prior(
    params: int, flops: int, first: int, second: int
) -> None:
    known = {"nodes": ["input", "a", "output"], "params": params, "flops": flops}
    low, high = scored(*({**known, "activations": n} for n in sorted((first, second))))
    assert np.isfinite([low, high]).all()
    assert low <= high


@given(st.lists(st.integers(1, 512), min_size=1, max_size=8), SIDES, st.randoms())
def test_networks_of_the_same_nodes_have_the_same_prior(
    widths: list[int], side: int, random: Any
) -> None:
    row = convolutions(widths, side)
    order = list(range(1, len(widths) + 1))
    random.shuffle(order)
    order = [0, *order, len(widths) + 1]
    other = row | {name: [row[name][i] for i in order] for name in prior.NODE_COSTS}
    table = networks([row, other])
    sizes = prior.sizes(table, Graphs.from_table(table), {})
    first, second = sizes.score()
    assert first == second
    assert len(set(sizes.keys().tolist())) == 1


def test_wider_larger_and_smoother_networks_score_higher() -> None:
    plain = convolutions([16, 16])
    wider, larger = convolutions([32, 32]), convolutions([16, 16], side=64)
    smoother = convolutions([16, 16], name="conv3x3-bn-silu")
    base, *others = scored(plain, wider, larger, smoother)
    assert min(others) > base


def test_activations_beyond_ten_a_parameter_do_not_count() -> None:
    depthwise = {
        "nodes": ["input", "dwconv3x3", "output"],
        "params": 9 * 16,
        "flops": 9 * 16 * 64**2,
        "activations": 16 * 64**2,
        "node_shape": [[3, 64, 64], [16, 64, 64], [10]],
        "node_params": [0, 9 * 16, 0],
        "node_flops": [0, 9 * 16 * 64**2, 0],
    }
    table = networks([depthwise])
    counted = prior.sizes(table, Graphs.from_table(table), {}).activations
    assert counted.tolist() == [10 * 9 * 16]


@pytest.mark.parametrize(
    "missing", [[], ["activations"], ["params"], ["node_shape"], ["params", "activations"]]
)
def test_costs_that_are_missing_are_estimated_from_the_others(missing: list[str]) -> None:
    row = convolutions([64, 128, 256])
    whole, partly = scored(row, {k: v for k, v in row.items() if k not in missing})
    assert partly == pytest.approx(whole, abs=4)


def test_without_activations_and_multiply_adds_there_is_no_prior() -> None:
    row = {"nodes": ["input", "a", "output"], "params": 10}
    table = networks([row, row | {"flops": 10}])
    assert prior.known(table).tolist() == [False, True]
    assert np.isnan(scored(row)[0])


def test_a_network_of_unknown_operators_needs_neither_vectors_nor_encoder() -> None:
    rows = [convolutions([w, w], name="never-seen") for w in (8, 16, 32)]
    table = networks(rows, {"never-seen": "An operator that nobody described before"})
    predictor = Predictor.bundled()
    found = predictor.predict(table)
    assert predictor.share_of_members(table).tolist() == [0, 0, 0]
    assert (np.diff(found["score"].to_numpy()) > 0).all()
    assert found["spread"].null_count == found["novelty"].null_count == 3


def test_cells_and_networks_share_a_file_and_cells_score_as_alone() -> None:
    nb201 = space("nb201")
    rng = np.random.default_rng(0)
    cells = graph_table("nb201", [nb201.decode(rng.random(6)) for _ in range(5)])
    both = pa.concat_tables([networks([convolutions([8])]), cells], promote_options="default")
    predictor = Predictor.bundled()
    found = predictor.predict(both)
    assert found.slice(1)["score"].to_pylist() == predictor.predict(cells)["score"].to_pylist()
    assert found["spread"].null_count == 1


def test_a_ranking_of_cells_and_networks_is_not_relied_on() -> None:
    nb201 = space("nb201")
    rng = np.random.default_rng(0)
    cells = graph_table("nb201", [nb201.decode(rng.random(6)) for _ in range(5)])
    both = pa.concat_tables([networks([convolutions([8])]), cells], promote_options="default")
    predictor = Predictor.bundled()
    trust = assess(predictor, both, predictor.predict(both))
    assert "1 of the architectures are scored as whole networks and 5 as cells" in trust.verdict
    assert trust.expected is None


def test_huge_networks_of_unstated_shapes_are_scored_by_their_size() -> None:
    row = {"nodes": ["input", *["conv1x1-bn-relu"] * 3000, "output"], "activations": 10**6}
    table = networks([row])
    assert Predictor.bundled().share_of_members(table).tolist() == [0]


def test_the_papers_predictor_has_no_prior() -> None:
    table = networks([convolutions([8])])
    assert Predictor.bundled("paper").share_of_members(table).tolist() == [1]


def test_networks_of_transnas_macro_are_ranked_by_their_size(shared_data: Path) -> None:
    macro = convert("transnas-macro", source=str(shared_data / "tnb101_macro_2tasks.csv.gz"))
    predictor = Predictor.bundled()
    scores = predictor.predict(macro)
    wanted = {"class_object/valid/top1": 0.801, "room_layout/valid/neg_loss": 0.693}
    for metric, rho in wanted.items():
        found = spearmanr(scores["score"], macro[metric]).statistic
        assert found == pytest.approx(rho, abs=0.002)
    strings = macro["arch_id"].to_pylist()
    assert predictor.score(strings, "transnas-macro").tolist() == scores["score"].to_pylist()
    trust = assess(predictor, macro, scores)
    assert trust.verdict == (
        "rely on this ranking as on transnas-macro (Spearman 0.80 and 0.69 there): "
        "100% of the score is the network's size, not what the members learned"
    )
    assert trust.prior == 1
    assert trust.expected is not None
    assert trust.expected.low < 0.69 < 0.8 < trust.expected.high


def test_networks_of_much_the_same_size_are_not_relied_on() -> None:
    rows = [convolutions([64, width]) for width in range(64, 84)]
    table = networks(rows)
    predictor = Predictor.bundled()
    trust = assess(predictor, table, predictor.predict(table))
    assert trust.verdict.startswith("do not rely on this ranking: 100% of the score is")


def test_networks_of_many_sizes_are_relied_on_with_care() -> None:
    rows = [convolutions([2**k, 2**k], side) for k in range(3, 9) for side in (16, 64)]
    table = networks(rows)
    predictor = Predictor.bundled()
    trust = assess(predictor, table, predictor.predict(table))
    assert trust.verdict.startswith("rely on this ranking with care: 100% of the score is")
    assert "disagreement" not in str(trust)


@pytest.mark.slow
def test_traced_networks_of_timm_are_ranked_as_on_imagenet() -> None:
    timm = pytest.importorskip("timm")
    torch = pytest.importorskip("torch")
    from snap_graphs.networks import assembled, network_table
    from snap_graphs.torch.trace import exported, read_inputs, read_layers

    names = ("mobilenetv3_small_050", "mobilenetv3_large_100", "efficientvit_b1")
    found = []
    for name in names:
        with torch.device("meta"):
            module = timm.create_model(name)
        layers = read_layers(exported(module, read_inputs((3, 224, 224))), module)
        found.append(assembled(layers))
    scores = Predictor.bundled().score(network_table("timm", names, found))
    assert (np.diff(scores) > 0).all()
