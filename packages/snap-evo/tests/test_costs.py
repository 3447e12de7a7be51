"""Costs at other sizes than a benchmark's own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_evo import search
from snap_evo.costs import NETWORKS, cell_graphs
from snap_evo.objectives import Limit
from snap_evo.scorers import ParamsScorer
from snap_graphs import graph_table, space
from snap_graphs.torch.build import build_network, count_costs

IMAGENET = NETWORKS["imagenet"]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_imagenet_network_is_counted_as_it_is_built(seed: int) -> None:
    cells = space("darts").sample(1, seed=seed)
    (row,) = cell_graphs("darts", "imagenet", cells).to_pylist()
    with torch.device("meta"):
        network = build_network("darts", row["arch_id"], **IMAGENET._asdict())
    built = count_costs(network, IMAGENET.image)
    assert (row["params"], row["flops"], row["activations"]) == built[:3]


@pytest.mark.parametrize("concat", ["[4, 5]", "[2]", "[3, 5]"])
def test_a_network_whose_output_joins_some_nodes_is_counted_as_it_is_built(concat: str) -> None:
    text = space("darts").format(space("darts").sample(1, seed=0)[0])
    text = text.replace("normal_concat=range(2, 6)", f"normal_concat={concat}")
    (row,) = graph_table("darts", [space("darts").parse(text)]).to_pylist()
    built = count_costs(build_network("darts", text), 32)
    assert (row["params"], row["flops"]) == (built.params, built.flops)


def test_only_the_costs_depend_on_the_network() -> None:
    cells = space("darts").sample(3, seed=0)
    own, other = graph_table("darts", cells), cell_graphs("darts", "imagenet", cells)
    assert cell_graphs("darts", None, cells).equals(own)
    assert other.schema.equals(own.schema)
    costs = ["params", "flops", "activations"]
    assert other.drop_columns(costs).equals(own.drop_columns(costs))
    assert (other["flops"].to_numpy() > own["flops"].to_numpy()).all()


def test_a_search_keeps_to_limits_of_the_network_named() -> None:
    limits = [Limit("params", 6e6, 5e6), Limit("flops", 6e8)]
    result = search("darts", ParamsScorer(), limits=limits, network="imagenet", budget=300)
    assert 5e6 <= result.best["params"][0].as_py() <= 6e6
    assert result.best["flops"][0].as_py() <= 6e8
    assert result.score == result.best["params"][0].as_py()


@pytest.mark.parametrize(
    ("space_name", "network", "problem"),
    [
        ("darts", "cinema", "unknown network 'cinema'; known are imagenet"),
        ("nb201", "imagenet", "the network 'imagenet' has cells of darts, not of nb201"),
    ],
)
def test_an_unknown_network_is_refused(space_name: str, network: str, problem: str) -> None:
    with pytest.raises(SnapError, match=problem):
        search(space_name, ParamsScorer(), network=network)
