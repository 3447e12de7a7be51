"""The features of graphs that an adaptation uses."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_graphs import Graphs
from snap_graphs.arrays import Ints
from snap_graphs.cell import INPUT, NONE, OUTPUT
from snap_graphs.traversal import waves

from snap_gcn.data.arrays import Floats, per_graph
from snap_gcn.data.views import one_form
from snap_gcn.model.prior import COSTS
from snap_gcn.predictor import Parts

__all__ = ["COSTS", "GROUPS", "Features", "features", "operator_features", "operators_in"]

GROUPS = ("members", "kinds", "paths", "costs", "operators")
"""Groups of features: scores of the networks, mean scores by recipe and the `PathModel`'s score,
statistics of paths, `COSTS`, and positions of operators."""

_AT_A_TIME = 32
"""Operators that are counted at once; more would leave the processor's cache."""

Features = Mapping[str, Floats]
"""By group, (n, k) features of n graphs."""


def operators_in(table: pa.Table) -> list[str]:
    """Return the sorted operators of graphs, without inputs, outputs and `none`."""
    names = pc.unique(pc.list_flatten(table["nodes"])).to_pylist()
    return sorted(set(names) - {INPUT, OUTPUT, NONE})


def features(
    parts: Parts, table: pa.Table, operators: Sequence[str], costs: Sequence[str]
) -> Features:
    """Compute the features of n rows of the `graphs` contract, given their scores' parts."""
    formed = one_form(Graphs.from_table(table), table["space"])
    logs = [np.log1p(table[name].to_numpy().astype(np.float64)) for name in costs]
    return {
        "members": parts.members,
        "kinds": parts.kinds,
        "paths": parts.paths,
        "costs": np.array(logs).reshape(len(logs), table.num_rows).T,
        "operators": operator_features(formed, operators),
    }


def operator_features(graphs: Graphs, operators: Sequence[str]) -> Floats:
    """Compute the positions of k operators in n graphs without dead operators.

    Returns:
        (n, 9 k + 3): for each operator, its number in the graph, on the path with the most, on the
        path with the fewest, and on the mean path (each node takes the mean over its incoming
        edges); its number after an input and before the output; the sum of its relative depths; and
        the edges out of it and into it. The last three columns are nodes, edges, and edges from an
        input to the output.
    """
    rows, sources, targets = graphs.edges()
    outputs = graphs.node_start[1:] - 1
    weights = _node_weights(graphs, sources, targets, outputs)
    parts = [
        _operator_parts(graphs, operators[i : i + _AT_A_TIME], weights, outputs)
        for i in range(0, len(operators), _AT_A_TIME)
    ]
    from_input = graphs.op[sources] == graphs.index(INPUT)
    through = np.bincount(rows, from_input & (targets == outputs[rows]), len(graphs))
    return np.column_stack([*parts, graphs.sizes, np.diff(graphs.edge_start), through])


def _node_weights(graphs: Graphs, sources: Ints, targets: Ints, outputs: Ints) -> Floats:
    """Return (nodes, 5): after an input, before the output, depth, edges out, edges in."""
    number = len(graphs.op)
    is_input, is_output = graphs.op == graphs.index(INPUT), np.zeros(number, np.bool_)
    is_output[outputs] = True
    depth = _along(graphs, np.zeros((number, 1)), np.maximum, 1)[:, 0]
    return np.column_stack(
        [
            np.bincount(targets, is_input[sources], number) > 0,
            np.bincount(sources, is_output[targets], number) > 0,
            depth / np.maximum(depth[outputs], 1).repeat(graphs.sizes),
            *(np.bincount(ends, minlength=number) for ends in (sources, targets)),
        ]
    ).astype(np.float64)


def _operator_parts(
    graphs: Graphs, operators: Sequence[str], weights: Floats, outputs: Ints
) -> Floats:
    """Return (n, 9 k) features of k operators, grouped by operator."""
    here = (graphs.op[:, None] == [graphs.index(name) for name in operators]).astype(np.float64)
    in_graph = [here, *(here * weight[:, None] for weight in weights.T)]
    count, *places = (per_graph(graphs, values) for values in in_graph)
    on_paths = [_along(graphs, here, how)[outputs] for how in (np.maximum, np.minimum, None)]
    return np.stack([count, *on_paths, *places], axis=2).reshape(len(graphs), 9 * len(operators))


def _along(graphs: Graphs, values: Floats, combine: np.ufunc | None, step: float = 0) -> Floats:
    """Sum (nodes, k) values along the paths to each node, with `step` added for every edge.

    `combine` combines the paths that meet at a node; None takes their mean.
    """
    totals = values.copy()
    for nodes, sources, starts in waves(graphs):
        met = (combine or np.add).reduceat(totals[sources], starts)
        if combine is None:
            met /= np.diff(starts, append=len(sources))[:, None]
        totals[nodes] += met + step
    return totals
