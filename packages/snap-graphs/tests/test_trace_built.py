"""Round trip: the network built around a cell, traced, has the cell's operators and costs."""

from collections import Counter
from itertools import count
from typing import Any

import pytest
import torch
from snap_graphs import graph_table, space
from snap_graphs.networks import Network, assembled
from snap_graphs.torch.build import build_network, network_size
from snap_graphs.torch.trace import read_inputs, trace_module

REPEATED = 15
"""Cells of NAS-Bench-201's skeleton."""


def built_and_traced(space_name: str, arch_id: str) -> Network:
    side = network_size(space_name).image
    with torch.device("meta"):
        network = build_network(space_name, arch_id)
    return assembled(trace_module(network, read_inputs((3, side, side))))


def drawn(space_name: str, seed: int) -> dict[str, Any]:
    """Return the first architecture from a seed on of which no operator is dead."""
    for number in count(seed):
        row: dict[str, Any] = graph_table(
            space_name, space(space_name).sample(1, seed=number)
        ).to_pylist()[0]
        if not row["n_dead"]:  # what no output depends on is not traced
            return row
    raise AssertionError


@pytest.mark.parametrize("name", ["nb101", "nb201", "transnas-micro", "transnas-macro", "darts"])
def test_the_traced_network_costs_what_the_cell_says(name: str) -> None:
    row = drawn(name, 3)
    traced = built_and_traced(name, row["arch_id"])
    assert (sum(traced.params), sum(traced.flops), traced.activations) == (
        row["params"],
        row["flops"],
        row["activations"],
    )


@pytest.mark.parametrize("seed", [3, 30])
def test_the_traced_network_has_the_cells_operators_as_often_as_the_cell_is_repeated(
    seed: int,
) -> None:
    row = drawn("nb201", seed)
    nodes = Counter(row["nodes"])
    traced = Counter(
        kind
        for name in built_and_traced("nb201", row["arch_id"]).nodes
        for kind in ("conv3x3", "conv1x1", "avgpool3x3")
        if kind in name
    )
    assert traced == +Counter(
        {
            "conv3x3": REPEATED * nodes["nor_conv_3x3"] + 5,  # the stem and two residual blocks
            "conv1x1": REPEATED * nodes["nor_conv_1x1"] + 2,  # these blocks' shortcuts
            "avgpool3x3": REPEATED * nodes["avg_pool_3x3"],
        }
    )
