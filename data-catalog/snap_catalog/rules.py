"""Rules for the contents of a contract's columns, beyond their types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snap_catalog.errors import SnapError, excerpt
from snap_catalog.nested import parse_json
from snap_catalog.schemas import Name

MOST_NODES = 2**15 - 1
"""Nodes per graph: indices are 16-bit integers."""


class RowError(SnapError):
    """A row breaks a rule."""

    def __init__(self, source: str, row: int, name: str, problem: str) -> None:
        """Describe the problem of a row, counted from 0."""
        super().__init__(f"{source}: row {row + 1}{name}: {problem}")
        self._details = (source, row, name, problem)

    def after(self, rows: int) -> "RowError":
        """Return the same error for a row that is preceded by `rows` further rows."""
        source, row, name, problem = self._details
        return RowError(source, rows + row, name, problem)


@dataclass(frozen=True)
class Rule:
    """A condition on the contents of a file.

    Attributes:
        about: the rule in a few words.
        columns: the columns that it reads.
        check: raises `SnapError` if a table breaks the rule; takes the table and its name.
    """

    about: str
    columns: frozenset[str]
    check: Callable[[pa.Table, str], None]


def check_key(table: pa.Table, key: Sequence[str], source: str) -> None:
    """Refuse rows that share a key."""
    # Sorting takes a tenth of the memory that grouping does.
    order = pc.sort_indices(table, sort_keys=[(k, "ascending") for k in key])
    rows = table.select(list(key)).take(order)
    repeated = reduce(pc.and_, map(_equals_the_next, rows.columns))
    if pc.any(repeated).as_py():
        same = repeated.to_numpy()
        first = int(same.argmax())
        count = 2 + int(np.logical_and.accumulate(same[first + 1 :]).sum())
        shared = rows.slice(first, 1).to_pylist()[0]
        name = ", ".join(f"{k} {shared[k]!r}" for k in key)
        raise SnapError(f"{source}: {count} rows share {name}; it must be unique")


def _equals_the_next(column: pa.ChunkedArray) -> pa.ChunkedArray:
    before, after = column.slice(0, max(len(column) - 1, 0)), column.slice(1)
    both_null = pc.and_(pc.is_null(before), pc.is_null(after))
    return pc.fill_null(pc.equal(before, after), both_null)


def _offsets(column: pa.ChunkedArray) -> np.ndarray:
    lengths = pc.list_value_length(column).to_numpy()
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _edges(table: pa.Table, source: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the row, source node and target node of every edge."""
    starts = _offsets(table["src"])
    differing = np.flatnonzero(starts != _offsets(table["dst"]))
    if differing.size:
        _refuse(table, int(differing[0]) - 1, "src and dst differ in length", source)
    src, dst = (pc.list_flatten(table[c]).to_numpy() for c in ("src", "dst"))
    return np.repeat(np.arange(table.num_rows), np.diff(starts)), src, dst


def _check_edges(table: pa.Table, source: str) -> None:
    row, src, dst = _edges(table, source)
    size = pc.list_value_length(table["nodes"]).to_numpy()
    wrong = np.flatnonzero((src < 0) | (dst >= size[row]) | (src >= dst))
    if wrong.size:
        edge = wrong[0]
        problem = (
            f"the edge {src[edge]}->{dst[edge]} does not lead from a lower to a higher node of "
            f"{size[row[edge]]}; list nodes in topological order (a cycle has none)"
        )
        _refuse(table, int(row[edge]), problem, source)


def _check_repeats(table: pa.Table, source: str) -> None:
    edges, src, dst = _edges(table, source)
    for part in (src, dst):  # in place, for there are millions of edges
        edges <<= 16
        edges |= part.astype(np.uint16)
    # A stable sort is linear if the edges are in order, as most writers leave them.
    edges.sort(kind="stable")
    repeated = edges[1:][edges[1:] == edges[:-1]]
    if repeated.size:
        first = int(repeated[0])
        problem = f"the edge {first >> 16 & 0xFFFF}->{first & 0xFFFF} is listed twice"
        _refuse(table, first >> 32, problem, source)


def _check_ends(table: pa.Table, source: str) -> None:
    starts = _offsets(table["nodes"])
    nodes = pc.list_flatten(table["nodes"])
    short = np.flatnonzero(np.diff(starts) < 2)
    if short.size:
        _refuse(table, int(short[0]), "a cell needs an `input` and an `output` node", source)
    first = pc.equal(nodes, "input").to_numpy()[starts[:-1]]
    is_output = pc.equal(nodes, "output").to_numpy()
    outputs = np.add.reduceat(is_output, starts[:-1], dtype=np.int64) if table.num_rows else first
    wrong = np.flatnonzero(~first | (outputs != 1) | ~is_output[starts[1:] - 1])
    if wrong.size:
        problem = "the first node must be `input`, the last one the only `output`"
        _refuse(table, int(wrong[0]), problem, source)


def _check_size(table: pa.Table, source: str) -> None:
    size = pc.list_value_length(table["nodes"]).to_numpy()
    large = np.flatnonzero(size > MOST_NODES)
    if large.size:
        problem = f"{size[large[0]]:,} nodes are more than the {MOST_NODES:,} that a graph may have"
        _refuse(table, int(large[0]), problem, source)


def _check_per_node(table: pa.Table, source: str, column: str) -> None:
    sizes, entries = (pc.list_value_length(table[name]) for name in ("nodes", column))
    differ = pc.fill_null(pc.not_equal(sizes, entries), False)
    if pc.any(differ).as_py():
        row = int(differ.to_numpy().argmax())
        problem = f"{entries[row]} entries of {column} for {sizes[row]} nodes; give one per node"
        _refuse(table, row, problem, source)


def _check_hash(table: pa.Table, source: str) -> None:
    ok = pc.match_substring_regex(table["cell_hash"], "^[0-9a-f]{32}$").to_numpy()
    wrong = np.flatnonzero(~ok)
    if wrong.size:
        _refuse(table, int(wrong[0]), "cell_hash is not 32 hexadecimal digits", source)


def _check_numbers(
    table: pa.Table, source: str, *, column: str, problem: str, least: float = -np.inf
) -> None:
    """Refuse numbers that are not finite or below a minimum; nulls are allowed."""
    values = table[column].fill_null(0.0).to_numpy()
    wrong = np.flatnonzero(~np.isfinite(values) | (values < least))
    if wrong.size:
        _refuse(table, int(wrong[0]), problem, source)


_check_scores = partial(_check_numbers, column="score", problem="the score is not a finite number")
_check_predicted = partial(_check_numbers, column="predicted", problem="`predicted` is not finite")
_check_std = partial(
    _check_numbers,
    column="predicted_std",
    problem="`predicted_std` is negative or not finite",
    least=0.0,
)
_check_values = partial(_check_numbers, column="value", problem="the value is not a finite number")


_check_seconds = partial(
    _check_numbers, column="seconds", problem="`seconds` is negative or not finite", least=0.0
)


def _check_scorers(table: pa.Table, source: str) -> None:
    for name in table["scorer"].unique().to_pylist():
        if name is not None and not (name and name.isprintable()):
            row = pc.index(table["scorer"], name).as_py()
            _refuse(table, row, f"the scorer's name {excerpt(name)} is not printable", source)


def _check_embeddings(table: pa.Table, source: str) -> None:
    finite = pc.is_finite(pc.list_flatten(table["embedding"]))
    if pc.any(pc.invert(finite)).as_py():
        length = len(finite) // table.num_rows
        first = int(finite.to_numpy().argmin())
        _refuse(table, first // length, "the embedding is not finite", source)


def _check_settings(table: pa.Table, source: str) -> None:
    for row, setting in enumerate(table["setting"].to_pylist()):
        if not _is_object(setting):
            _refuse(table, row, f"the setting {excerpt(setting)} is not a JSON object", source)


def _is_object(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict)
    except ValueError:
        return False


def _refuse(table: pa.Table, row: int, problem: str, source: str) -> None:
    name = f" ({table['arch_id'][row]})" if "arch_id" in table.column_names else ""
    raise RowError(source, row, name, problem)


_GRAPH = frozenset({"nodes", "src", "dst"})
_PER_NODE = ("node_shape", "node_params", "node_flops")
_FINITE = Rule("scores are finite numbers", frozenset({"score"}), _check_scores)

RULES: Mapping[Name, tuple[Rule, ...]] = {
    "graphs": (
        Rule("a cell begins with input and ends with output", frozenset({"nodes"}), _check_ends),
        Rule(f"a graph has at most {MOST_NODES:,} nodes", frozenset({"nodes"}), _check_size),
        Rule("edges lead from lower to higher nodes", _GRAPH, _check_edges),
        Rule("no edge is listed twice", frozenset({"src", "dst"}), _check_repeats),
        Rule("cell_hash is 32 hexadecimal digits", frozenset({"cell_hash"}), _check_hash),
        *(
            Rule(
                f"{column} has an entry for every node",
                frozenset({"nodes", column}),
                partial(_check_per_node, column=column),
            )
            for column in _PER_NODE
        ),
    ),
    "scores": (
        _FINITE,
        Rule("predictions are finite", frozenset({"predicted"}), _check_predicted),
        Rule("deviations are finite and not negative", frozenset({"predicted_std"}), _check_std),
        Rule("names of scorers are printable", frozenset({"scorer"}), _check_scorers),
        Rule("seconds are finite and not negative", frozenset({"seconds"}), _check_seconds),
    ),
    "search": (_FINITE,),
    "operators": (Rule("vectors are finite", frozenset({"embedding"}), _check_embeddings),),
    "measurements": (Rule("values are finite numbers", frozenset({"value"}), _check_values),),
    "trials": (Rule("settings are JSON objects", frozenset({"setting"}), _check_settings),),
}
"""The rules for the contents of a file, by contract."""
