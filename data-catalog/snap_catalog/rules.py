"""What the contents of a contract's columns must satisfy, beyond their types."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snap_catalog.errors import SnapError

Rule = Callable[[pa.Table, str], None]


def check_key(table: pa.Table, key: Sequence[str], source: str) -> None:
    """Refuse rows that share a key."""
    counts = table.select(list(key)).group_by(list(key)).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1))
    if repeated.num_rows:
        first = repeated.slice(0, 1).to_pylist()[0]
        name = ", ".join(f"{k} {first[k]!r}" for k in key)
        raise SnapError(f"{source}: {first['count_all']} rows share {name}; it must be unique")


def _offsets(column: pa.ChunkedArray) -> np.ndarray:
    lengths = pc.list_value_length(column).to_numpy()
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _check_edges(table: pa.Table, source: str) -> None:
    starts = _offsets(table["src"])
    differing = np.flatnonzero(starts != _offsets(table["dst"]))
    if differing.size:
        _refuse(table, int(differing[0]) - 1, "src and dst differ in length", source)
    src, dst = (pc.list_flatten(table[c]).to_numpy() for c in ("src", "dst"))
    row = np.repeat(np.arange(table.num_rows), np.diff(starts))
    size = pc.list_value_length(table["nodes"]).to_numpy()
    wrong = np.flatnonzero((src < 0) | (dst >= size[row]) | (src >= dst))
    if wrong.size:
        edge = wrong[0]
        problem = (
            f"the edge {src[edge]}->{dst[edge]} does not lead from a lower to a higher node of "
            f"{size[row[edge]]}; list nodes in topological order (a cycle has none)"
        )
        _refuse(table, int(row[edge]), problem, source)


def _check_ends(table: pa.Table, source: str) -> None:
    starts = _offsets(table["nodes"])
    nodes = pc.list_flatten(table["nodes"]).combine_chunks()
    short = np.flatnonzero(np.diff(starts) < 2)
    if short.size:
        _refuse(table, int(short[0]), "a cell needs an `input` and an `output` node", source)
    first = pc.equal(nodes, "input").to_numpy(zero_copy_only=False)[starts[:-1]]
    is_output = pc.equal(nodes, "output").to_numpy(zero_copy_only=False)
    outputs = np.add.reduceat(is_output, starts[:-1], dtype=np.int64) if table.num_rows else first
    wrong = np.flatnonzero(~first | (outputs != 1) | ~is_output[starts[1:] - 1])
    if wrong.size:
        problem = "the first node must be `input`, the last one the only `output`"
        _refuse(table, int(wrong[0]), problem, source)


def _check_hash(table: pa.Table, source: str) -> None:
    ok = pc.match_substring_regex(table["cell_hash"], "^[0-9a-f]{32}$").to_numpy()
    wrong = np.flatnonzero(~ok)
    if wrong.size:
        _refuse(table, int(wrong[0]), "cell_hash is not 32 hexadecimal digits", source)


def _check_scores(table: pa.Table, source: str) -> None:
    bad = np.flatnonzero(~np.isfinite(table["score"].to_numpy()))
    if bad.size:
        _refuse(table, int(bad[0]), "the score is not a finite number", source)


def _check_embeddings(table: pa.Table, source: str) -> None:
    values = pc.list_flatten(table["embedding"]).to_numpy()
    if not np.isfinite(values).all():
        raise SnapError(f"{source}: column 'embedding' holds values that are not finite")


def _refuse(table: pa.Table, row: int, problem: str, source: str) -> None:
    name = f" ({table['arch_id'][row]})" if "arch_id" in table.column_names else ""
    raise SnapError(f"{source}: row {row + 1}{name}: {problem}")


RULES: Mapping[str, tuple[tuple[set[str], Rule], ...]] = {
    "graphs": (
        ({"nodes"}, _check_ends),
        ({"nodes", "src", "dst"}, _check_edges),
        ({"cell_hash"}, _check_hash),
    ),
    "scores": (({"score"}, _check_scores),),
    "search": (({"score"}, _check_scores),),
    "operators": (({"embedding"}, _check_embeddings),),
}
"""By contract: the columns a rule needs, and the rule."""
