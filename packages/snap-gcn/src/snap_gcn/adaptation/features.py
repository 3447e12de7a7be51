"""What an adaptation looks at in a graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from snap_graphs import Graphs
from snap_graphs.cell import INPUT, NONE, OUTPUT
from snap_graphs.waves import waves

from snap_gcn.data.views import one_form
from snap_gcn.predictor import Parts

Floats = npt.NDArray[np.float64]

COSTS = ("params", "flops", "activations")
"""Columns of the `graphs` contract that are looked at, where all graphs have them."""
GROUPS = ("members", "kinds", "paths", "costs", "operators")
"""What features are of: the predictor's networks one by one, the means over those of one recipe and
what the paths add, the statistics of paths, `COSTS`, and operators in places."""

Features = Mapping[str, Floats]
"""By group, (n, k) features of n graphs."""


def operators_in(table: pa.Table) -> list[str]:
    """Return the operators of some graphs, sorted; inputs, outputs and `none` are not counted."""
    names = pc.unique(pc.list_flatten(table["nodes"])).to_pylist()
    return sorted(set(names) - {INPUT, OUTPUT, NONE})


def features(
    parts: Parts, table: pa.Table, operators: Sequence[str], costs: Sequence[str]
) -> Features:
    """Describe graphs to an adaptation.

    Args:
        parts: what the scores of the predictor that is adapted are made of.
        table: n rows of the `graphs` contract.
        operators: the operators to count; see `operators_in`.
        costs: the columns of costs to take.
    """
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
    """Describe where in graphs their operators are.

    Args:
        graphs: n graphs without dead operators.
        operators: k names.

    Returns:
        (n, 9 k + 3): of each operator the number in the graph; on the path that has most, on the
        one that has fewest, and on the mean path (of means over the edges into each node); behind
        an input; before the output; their depths added up, as shares of the graph's; the edges out
        of them, and into them. At last nodes, edges, and edges from an input to the output.
    """
    rows, sources, targets = graphs.edges()
    owner = np.repeat(np.arange(len(graphs)), graphs.sizes)
    outputs = graphs.node_start[1:] - 1
    is_input, is_output = graphs.op == graphs.index(INPUT), np.zeros(len(graphs.op), np.bool_)
    is_output[outputs] = True
    behind = np.bincount(targets, is_input[sources], len(owner)) > 0
    before = np.bincount(sources, is_output[targets], len(owner)) > 0
    depth = _along(graphs, np.zeros(len(owner)), np.maximum, 1)
    share = depth / np.maximum(depth[outputs], 1)[owner]
    beside = [
        behind,
        before,
        share,
        *(np.bincount(ends, minlength=len(owner)) for ends in (sources, targets)),
    ]
    columns: list[npt.NDArray[Any]] = []
    for name in operators:
        here = (graphs.op == graphs.index(name)).astype(np.float64)
        columns.append(np.bincount(owner, here, len(graphs)))
        columns += [_along(graphs, here, how)[outputs] for how in (np.maximum, np.minimum, None)]
        columns += [np.bincount(owner, here * weight, len(graphs)) for weight in beside]
    through = np.bincount(rows, is_input[sources] & is_output[targets], len(graphs))
    columns += [graphs.sizes, np.diff(graphs.edge_start), through]
    return np.stack(columns, axis=1).astype(np.float64)


def _along(graphs: Graphs, values: Floats, combine: np.ufunc | None, step: float = 0) -> Floats:
    """Add (nodes,) values up along the paths to each node.

    Args:
        graphs: the graphs.
        values: one a node.
        combine: what is kept where paths meet; the mean where None.
        step: what every edge adds.
    """
    totals = values.copy()
    for nodes, sources, starts in waves(graphs):
        if combine is None:
            met = np.add.reduceat(totals[sources], starts) / np.diff(starts, append=len(sources))
        else:
            met = combine.reduceat(totals[sources], starts)
        totals[nodes] += met + step
    return totals
