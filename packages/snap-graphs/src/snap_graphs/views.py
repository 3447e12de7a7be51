"""Replace the graphs of a table by equivalent graphs.

A view replaces the graphs of a table and the columns that depend on them alone; names, costs and
metrics stay. Columns with one entry per node are dropped if the view changes the nodes, except in
`blocks`. Facts that the graphs do not show are in the catalog (`snap_catalog.graph_facts`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from snap_catalog import GraphFacts, SnapError, graph_facts
from snap_catalog.nested import parse_json
from snap_catalog.parquet import decode_metadata
from snap_catalog.rules import MOST_NODES

from snap_graphs.arrays import Bools, Graphs, Ints, expand
from snap_graphs.cell import INPUT
from snap_graphs.contraction import SATURATED, contractions
from snap_graphs.networks.blocks import Blocks, has_blocks
from snap_graphs.networks.naming import described
from snap_graphs.structure import pruned
from snap_graphs.table import NODE_COLUMNS, STRUCTURE_COLUMNS, structure_columns

_AT_A_TIME = 4096
"""Graphs per batch of adjacency matrices."""
_LARGEST = 128
"""Maximum number of nodes of a cell."""


def blocks(table: pa.Table) -> pa.Table:
    """Merge each inverted residual of networks, with its residual connection, into one node.

    The node has the sum of the parameters and multiply-adds of its operators and the shape of the
    output; the metadata describe it. Graphs without known shapes or without such blocks stay
    unchanged.

    Raises:
        SnapError: the costs of a block need more than 64 bits, or the descriptions in the metadata
            (`snap.operators`) are invalid.
    """
    graphs = Graphs.from_table(table)
    if "node_shape" not in table.column_names or not has_blocks(graphs):
        return table
    found = Blocks(graphs, _shapes(table["node_shape"], graphs.sizes))
    if not found.operators:
        return table
    names = {place: operator.name for place, operator in found.operators.items()}
    graphs = graphs.with_words(sorted({*names.values()}.difference(graphs.vocabulary)))
    index = {name: place for place, name in enumerate(graphs.vocabulary)}
    op = graphs.op.copy()
    op[list(names)] = [index[name] for name in names.values()]
    joined = _joined(replace(graphs, op=op), found)
    table = _with_graphs(table, joined, _joined_columns(table, graphs, found.last))
    return _with_descriptions(table, described(found.operators.values()))


def prune(table: pa.Table) -> pa.Table:
    """Remove `none` and operators on no path from an input to the output."""
    return _with_graphs(table, pruned(Graphs.from_table(table)))


def contract_skips(table: pa.Table) -> pa.Table:
    """Replace identity operators by edges.

    Branches are summed, so that parallel paths matter: of m parallel edges, one stays an edge and
    each of the others keeps one identity operator. If the output concatenates, an identity with
    several inputs stays before it, to sum them.

    Raises:
        SnapError: the parallel paths of a cell need too many nodes.
    """
    return _with_graphs(table, contracted(Graphs.from_table(table), table["space"]))


def contracted(graphs: Graphs, spaces: pa.ChunkedArray, most: int = SATURATED) -> Graphs:
    """Apply `contract_skips` to graphs.

    Args:
        graphs: the graphs.
        spaces: (graphs,) the space of each.
        most: cap on the number of parallel edges.

    Raises:
        SnapError: the parallel paths of a cell need too many nodes.
    """
    graphs, identity = _with_operators(graphs, spaces, lambda facts: facts.identity)
    if not (graphs.op == identity.repeat(graphs.sizes)).any():
        return graphs
    kept = np.ones(len(graphs.op), np.bool_)
    edges = [np.empty((3, 0), np.int64)]
    for found, gone in contractions(graphs, identity, _concatenates(spaces), most):
        kept[gone] = False
        edges.append(found)
    parallel = _kept(graphs, kept, *np.hstack(edges))
    return _split(parallel, _repeated(parallel), identity)


def show_implicit(table: pa.Table) -> pa.Table:
    """Insert the operator that a space hides on every edge from an input.

    Graphs of other spaces stay unchanged.
    """
    return _with_graphs(table, with_implicit(Graphs.from_table(table), table["space"]))


def with_implicit(graphs: Graphs, spaces: pa.ChunkedArray) -> Graphs:
    """Apply `show_implicit` to graphs, given (graphs,) the space of each."""
    graphs, operator = _with_operators(graphs, spaces, lambda facts: facts.input_edges)
    if not (operator >= 0).any():
        return graphs
    row, source, _ = graphs.edges()
    hit = (graphs.op[source] == graphs.index(INPUT)) & (operator[row] >= 0)
    return _split(graphs, hit, operator)


def with_shortcuts(graphs: Graphs, spaces: pa.ChunkedArray, which: Bools) -> Graphs:
    """Insert an identity operator on every edge that a longer path bypasses.

    Edges into an output that concatenates stay unchanged.

    Args:
        graphs: the graphs.
        spaces: (graphs,) the space of each.
        which: (graphs,) the graphs to change; graphs of more than 128 nodes stay unchanged.
    """
    if not which.any():
        return graphs
    graphs, identity = _with_operators(graphs, spaces, lambda facts: facts.identity)
    hit, concatenates = np.zeros(len(graphs.src), np.bool_), _concatenates(spaces)
    rows = np.flatnonzero(which)
    for part in graphs.take(rows).dense(_AT_A_TIME, _LARGEST):
        graph, edges = expand(graphs.edge_start, rows[part.rows])
        bypassed = _bypassed(part.adjacency)
        bypassed[concatenates[rows[part.rows]], :, -1] = False
        hit[edges] = bypassed[graph, graphs.src[edges], graphs.dst[edges]]
    return _split(graphs, hit, identity)


def _bypassed(adjacency: Bools) -> Bools:
    """Return (b, n, n) the edges that a longer path bypasses."""
    reached = adjacency.copy()
    longer = np.zeros_like(adjacency)
    for node in range(2, adjacency.shape[1]):
        before = adjacency[:, None, :node, node]
        longer[:, :, node] = (reached[:, :, :node] & before).any(axis=2)
        reached[:, :, node] |= longer[:, :, node]
    return adjacency & longer


def _concatenates(spaces: pa.ChunkedArray) -> Bools:
    """Return (graphs,) whether the output of each graph concatenates."""
    facts, place = _facts(spaces)
    found: Bools = np.array([f.output_merge == "concat" for f in facts], np.bool_)[place]
    return found


def insert_identities(table: pa.Table, rng: np.random.Generator, probability: float) -> pa.Table:
    """Insert identity operators on random edges, to augment training data.

    Args:
        table: graphs.
        rng: the source of randomness.
        probability: probability per edge, independently.
    """
    graphs, identity = _with_operators(
        Graphs.from_table(table), table["space"], lambda facts: facts.identity
    )
    hit = rng.random(len(graphs.src)) < probability
    return _with_graphs(table, _split(graphs, hit, identity))


def _facts(spaces: pa.ChunkedArray) -> tuple[list[GraphFacts], Ints]:
    """Return the facts of the spaces, and (graphs,) the index of each graph's space."""
    names = spaces.combine_chunks().dictionary_encode()
    facts = [graph_facts(name) for name in names.dictionary.to_pylist()]
    return facts, names.indices.to_numpy().astype(np.int64)


def _with_operators(
    graphs: Graphs, spaces: pa.ChunkedArray, choose: Callable[[GraphFacts], str | None]
) -> tuple[Graphs, Ints]:
    """Return the graphs, and (graphs,) one operator of each graph's space, -1 if it has none.

    The operators are added to the vocabulary.
    """
    facts, place = _facts(spaces)
    chosen = [choose(known) for known in facts]
    new = [name for name in dict.fromkeys(chosen) if name and graphs.index(name) < 0]
    graphs = graphs.with_words(new)
    index = np.array([graphs.index(name) if name else -1 for name in chosen], np.int64)
    return graphs, index[place]


def _repeated(graphs: Graphs) -> Bools:
    """Return which edges join the same nodes as the edge before them."""
    edges = np.array(graphs.edges())
    repeated = np.zeros(len(graphs.src), np.bool_)
    repeated[1:] = (edges[:, 1:] == edges[:, :-1]).all(axis=0)
    return repeated


def _kept(graphs: Graphs, kept: Bools, rows: Ints, sources: Ints, targets: Ints) -> Graphs:
    """Keep a subset of nodes, with new edges."""
    before = np.concatenate([[0], np.cumsum(kept)])
    sizes = np.diff(before[graphs.node_start])
    op = graphs.op[kept]
    return _laid_out(graphs.vocabulary, op, sizes, rows, before[sources], before[targets])


def _split(graphs: Graphs, hit: Bools, operator: Ints) -> Graphs:
    """Insert a node on each selected edge, just before the target.

    Args:
        graphs: b graphs.
        hit: (edges,) which edges to split.
        operator: (b,) each graph's new operator.
    """
    row, source, target = graphs.edges()
    count, new = len(graphs.op), int(hit.sum())
    order = np.argsort(np.concatenate([2 * np.arange(count), 2 * target[hit] - 1]), kind="stable")
    place = np.empty(count + new, np.int64)
    place[order] = np.arange(count + new)
    middle = place[count:]
    sources = np.concatenate([place[source[~hit]], place[source[hit]], middle])
    targets = np.concatenate([place[target[~hit]], middle, place[target[hit]]])
    rows = np.concatenate([row[~hit], row[hit], row[hit]])
    added = np.bincount(row[hit], minlength=len(graphs))
    op = np.concatenate([graphs.op, operator[row[hit]]])[order]
    return _laid_out(graphs.vocabulary, op, graphs.sizes + added, rows, sources, targets)


def _laid_out(
    vocabulary: tuple[str, ...], op: Ints, sizes: Ints, rows: Ints, sources: Ints, targets: Ints
) -> Graphs:
    """Sort edges, given between nodes among all, by graph, source and target."""
    start = np.concatenate([[0], np.cumsum(sizes)])
    order = np.lexsort((targets, sources))
    edges = np.bincount(rows, minlength=len(sizes))
    return Graphs(
        vocabulary=vocabulary,
        op=op,
        node_start=start,
        src=(sources - start[rows])[order],
        dst=(targets - start[rows])[order],
        edge_start=np.concatenate([[0], np.cumsum(edges)]),
    )


def _joined(graphs: Graphs, found: Blocks) -> Graphs:
    """Merge the nodes of each block into its last node."""
    row, source, target = graphs.edges()
    source, target = found.last[source], found.last[target]
    stays = (source != target) & ~found.residual
    kept = found.last == np.arange(len(graphs.op))
    return _kept(graphs, kept, row[stays], source[stays], target[stays])


def _joined_columns(table: pa.Table, graphs: Graphs, last: Ints) -> dict[str, pa.Array]:
    """Return the node columns after merging each block into its last node."""
    within = last - graphs.node_start[:-1].repeat(graphs.sizes)
    parts = [part.tolist() for part in np.split(within, graphs.node_start[1:-1])]
    columns = {}
    for name in NODE_COLUMNS.intersection(table.column_names):
        join = _last_entries if name == "node_shape" else _sums
        entries = zip(table[name].to_pylist(), parts, strict=True)
        joined = [None if known is None else join(known, part) for known, part in entries]
        try:
            columns[name] = pa.array(joined, table.schema.field(name).type)
        except (OverflowError, pa.ArrowInvalid) as error:
            raise SnapError(
                f"{name}: the sum of a block exceeds 64 bits; remove the network"
            ) from error
    return columns


def _last_entries(entries: Sequence[Any], last: Sequence[int]) -> list[Any]:
    return [entries[place] for place in sorted({*last})]


def _sums(costs: Sequence[int | None], last: Sequence[int]) -> list[int | None]:
    """Sum the costs of the nodes of each block; unknown if one is unknown."""
    sums: dict[int, int | None] = {}
    for cost, place in zip(costs, last, strict=True):
        before = sums.get(place, 0)
        sums[place] = None if cost is None or before is None else before + cost
    return [sums[place] for place in sorted(sums)]


def _shapes(column: pa.ChunkedArray, sizes: Ints) -> list[list[int] | None]:
    """Return (nodes,) output shapes; None if unknown."""
    shapes: list[list[int] | None] = []
    for known, size in zip(column.to_pylist(), sizes.tolist(), strict=True):
        shapes += [None] * size if known is None else known
    return shapes


def _with_descriptions(table: pa.Table, sentences: Mapping[str, str]) -> pa.Table:
    """Add descriptions of operators to a table's metadata."""
    try:
        known = parse_json(decode_metadata(table.schema).get("snap.operators", "{}"))
    except ValueError:
        known = None
    if not isinstance(known, dict):
        raise SnapError(
            "snap.operators is not a mapping of names to descriptions; create the file again"
        )
    text = json.dumps({**known, **sentences}, sort_keys=True).encode()
    entries = {**(table.schema.metadata or {}), b"snap.operators": text}
    return table.replace_schema_metadata(entries)


def _with_graphs(
    table: pa.Table, graphs: Graphs, node_columns: Mapping[str, pa.Array] | None = None
) -> pa.Table:
    if graphs.sizes.max(initial=0) > MOST_NODES:
        row = int(np.argmax(graphs.sizes))
        raise SnapError(f"row {row + 1}: the view needs more than {MOST_NODES:,} nodes")
    columns = {
        "nodes": _lists(
            graphs.node_start, pa.array(graphs.vocabulary, pa.string()).take(pa.array(graphs.op))
        ),
        "src": _lists(graphs.edge_start, pa.array(graphs.src, pa.int16())),
        "dst": _lists(graphs.edge_start, pa.array(graphs.dst, pa.int16())),
        **(node_columns or {}),
    }
    if not pa.chunked_array([columns["nodes"]]).equals(table["nodes"]):
        stale = NODE_COLUMNS.intersection(table.column_names) - columns.keys()
        table = table.drop_columns(sorted(stale))
    if STRUCTURE_COLUMNS.intersection(table.column_names):
        columns |= structure_columns(graphs)
    for place, name in enumerate(table.column_names):
        if name in columns:
            table = table.set_column(place, name, columns[name])
    return table


def _lists(start: Ints, values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(start, pa.int32()), values)
