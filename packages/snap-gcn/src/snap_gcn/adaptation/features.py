"""What an adaptation looks at in a graph."""

from collections.abc import Mapping, Sequence

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
Ints = npt.NDArray[np.int64]

COSTS = ("params", "flops", "activations")
"""Columns of the `graphs` contract that are looked at, where all graphs have them."""
GROUPS = ("members", "kinds", "paths", "costs", "operators")
"""What features are of: the predictor's networks one by one, the means over those of one recipe and
what the paths add, the statistics of paths, `COSTS`, and operators in places."""

_AT_A_TIME = 32
"""Operators that are counted at once: more take longer, as they leave the cache."""

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
    outputs = graphs.node_start[1:] - 1
    beside = _beside(graphs, sources, targets, outputs)
    parts = [
        _operator_parts(graphs, operators[i : i + _AT_A_TIME], beside, outputs)
        for i in range(0, len(operators), _AT_A_TIME)
    ]
    from_input = graphs.op[sources] == graphs.index(INPUT)
    through = np.bincount(rows, from_input & (targets == outputs[rows]), len(graphs))
    return np.column_stack([*parts, graphs.sizes, np.diff(graphs.edge_start), through])


def _beside(graphs: Graphs, sources: Ints, targets: Ints, outputs: Ints) -> Floats:
    """Return (nodes, 5): behind an input, before the output, depth, edges out, edges in."""
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
    graphs: Graphs, operators: Sequence[str], beside: Floats, outputs: Ints
) -> Floats:
    """Return (n, 9 k) features of k operators, those of one next to each other."""
    here = (graphs.op[:, None] == [graphs.index(name) for name in operators]).astype(np.float64)
    in_graph = [here, *(here * weight[:, None] for weight in beside.T)]
    count, *places = (np.add.reduceat(values, graphs.node_start[:-1]) for values in in_graph)
    on_paths = [_along(graphs, here, how)[outputs] for how in (np.maximum, np.minimum, None)]
    return np.stack([count, *on_paths, *places], axis=2).reshape(len(graphs), 9 * len(operators))


def _along(graphs: Graphs, values: Floats, combine: np.ufunc | None, step: float = 0) -> Floats:
    """Add (nodes, k) values up along the paths to each node.

    Args:
        graphs: the graphs.
        values: k a node.
        combine: what is kept where paths meet; the mean where None.
        step: what every edge adds.
    """
    totals = values.copy()
    for nodes, sources, starts in waves(graphs):
        met = (combine or np.add).reduceat(totals[sources], starts)
        if combine is None:
            met /= np.diff(starts, append=len(sources))[:, None]
        totals[nodes] += met + step
    return totals
