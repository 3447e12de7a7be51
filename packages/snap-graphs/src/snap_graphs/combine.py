"""Combine files of graphs: concatenate rows, or join metric columns."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import MetricFacts, SnapError, benchmarks
from snap_catalog.catalog import Direction
from snap_catalog.checksums import file_sha256
from snap_catalog.parquet import decode_metadata
from snap_catalog.scores import several
from snap_catalog.tables import identifiers, read_table

from snap_graphs.formats.base import Request
from snap_graphs.formats.tables import table_metrics
from snap_graphs.spaces import spaces
from snap_graphs.table import append_metric
from snap_graphs.units import check_percent, metric

_KEYS = {"arch_id": "arch_id", "arch": "arch_id", "hash": "module_hash"}
"""Columns that identify architectures in a table, and the matching columns of graphs files."""


class Joined(NamedTuple):
    """Graphs with further metric columns.

    Attributes:
        table: the graphs; the metadata entry `snap.joined` names the file and its SHA-256.
        matched: number of architectures with a row in the table.
        unmatched: number of rows without a matching architecture.
    """

    table: pa.Table
    matched: int
    unmatched: int


def concat(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Concatenate tables of graphs; a metric that is missing from a table is null in its rows.

    Args:
        tables: the tables by file name.

    Returns:
        All rows. Metadata that agree in all tables are kept, also for metric columns.

    Raises:
        SnapError: two tables hold the same architecture, or differ in the type, direction or unit
            of a metric.
    """
    fields: dict[str, tuple[str, pa.Field]] = {}
    for source, table in tables.items():
        for field in table.schema:
            first, known = fields.setdefault(field.name, (source, field))
            if not known.equals(field, check_metadata=True):
                raise SnapError(
                    f"{source}: column {field.name!r} differs in type, direction or unit from "
                    f"that of {first}; convert one of them again"
                )
    _refuse_shared(tables)
    joined = pa.concat_tables(list(tables.values()), promote_options="default")
    entries = [decode_metadata(table.schema) for table in tables.values()]
    agreed = {k: v for k, v in entries[0].items() if all(e.get(k) == v for e in entries)}
    return joined.replace_schema_metadata(agreed)


def join(graphs: pa.Table, path: str | os.PathLike[str], request: Request) -> Joined:
    """Join a table's metric columns to graphs by architecture.

    Args:
        graphs: a table of the `graphs` contract.
        path: a table or a graphs file. Its architectures are named in a column `arch_id`, `arch`
            (the space's native string) or `hash` (NAS-Bench-101's module hash), within a column
            `space` where there is one.
        request: columns that the user maps to metrics, with declared units and directions.

    Raises:
        SnapError: the table identifies no architecture, repeats one, or matches no graph; or it has
            no metric column, or a metric that exists already, is unknown, or has a wrong unit.
    """
    source = Path(path)
    other = read_table(source)
    key = next((k for k in _KEYS if k in other.column_names), None)
    if key is None or _KEYS[key] not in graphs.column_names:
        raise SnapError(f"{path}: a column arch_id, arch or (for nb101) hash is required; add one")
    if scorers := several(other):
        raise SnapError(
            f"{path}: column 'scorer' names several scorers ({scorers}); keep the rows of one"
        )
    metrics = table_metrics(source, other, request)
    if not metrics:
        raise SnapError(f"{path}: no metric column found; map one with --column NAME=METRIC")
    within = ["space"] if "space" in other.column_names else []
    names = _native(graphs, identifiers(other, key, str(path)), key)
    table_keys = _joined([*(identifiers(other, c, str(path)) for c in within), names])
    graph_keys = _joined([graphs[c] for c in (*within, _KEYS[key])])
    _refuse_repeated(source, table_keys)
    place = pc.index_in(graph_keys, value_set=table_keys)
    found = pc.is_valid(place).to_numpy(zero_copy_only=False)
    if other.num_rows and graphs.num_rows and not found.any():
        raise SnapError(
            f"{path}: none of its {other.num_rows:,} architectures is in the graphs; its first is "
            f"{_shown(other, [*within, key])}, that of the graphs "
            f"{_shown(graphs, [*within, _KEYS[key]])}; name them as the graphs do"
        )
    if not within:
        _refuse_ambiguous(source, graphs, names, key)
    rows = place.drop_null().to_numpy()
    for name, values in metrics.items():
        if name in graphs.column_names:
            raise SnapError(f"{path}: the graphs already have {name!r}; rename it with --column")
        if np.isinf(values).any():
            row = int(np.isinf(values).argmax()) + 1
            raise SnapError(f"{path}: row {row}: {name!r} is not finite; leave it empty instead")
        column = metric(source, name, values, _known(graphs, other, name), request)
        check_percent(source, name, column, request)
        placed = np.full(graphs.num_rows, np.nan)
        placed[found] = column.values[rows]
        graphs = append_metric(graphs, name, replace(column, values=placed))
    matched = int(found.sum())
    unused = other.num_rows - len(np.unique(rows))
    return Joined(_with_origin(graphs, source), matched, unused)


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.Array:
    """Return one string per row; null if a part is null."""
    keys = pc.binary_join_element_wise(*columns, "\0")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys


def _shown(table: pa.Table, columns: Sequence[str]) -> str:
    return " of ".join(repr(table[column][0].as_py()) for column in reversed(columns))


def _with_origin(graphs: pa.Table, source: Path) -> pa.Table:
    """Append a joined file and its SHA-256 to the metadata."""
    entries = decode_metadata(graphs.schema)
    origins = [*filter(None, [entries.get("snap.joined")]), f"{source.name} {file_sha256(source)}"]
    return graphs.replace_schema_metadata({**entries, "snap.joined": ", ".join(origins)})


def _refuse_shared(tables: Mapping[str, pa.Table]) -> None:
    first: dict[tuple[str, str], str] = {}
    for source, table in tables.items():
        keys = zip(table["space"].to_pylist(), table["arch_id"].to_pylist(), strict=True)
        for key in keys:
            if first.setdefault(key, source) != source:
                raise SnapError(
                    f"{source}: architecture {key[1]!r} is also in {first[key]}; remove it from "
                    "one file, or join the files"
                )


def _native(graphs: pa.Table, names: pa.ChunkedArray, key: str) -> pa.ChunkedArray:
    """Normalise native strings to the form in the graphs; invalid ones become null."""
    known = _spaces(graphs)
    if key != "arch" or len(known) != 1 or known[0] not in spaces():
        return names
    space = spaces()[known[0]]

    def native(name: str | None) -> str | None:
        try:
            return None if name is None else space.format(space.parse(name))
        except SnapError:
            return None

    return pa.chunked_array([pa.array(map(native, names.to_pylist()), pa.string())])


def _refuse_repeated(path: Path, keys: pa.Array) -> None:
    counts = pa.table({"key": keys.drop_null()}).group_by("key").aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1))
    if repeated.num_rows:
        name = repeated["key"][0].as_py().split("\0")[-1]
        raise SnapError(f"{path}: {repeated['count_all'][0]} rows are about {name}; keep one")


def _refuse_ambiguous(path: Path, graphs: pa.Table, names: pa.ChunkedArray, key: str) -> None:
    """Refuse names that occur in several spaces, as there is no column `space`."""
    meant = graphs.select(["space", _KEYS[key]]).filter(
        pc.is_in(graphs[_KEYS[key]], value_set=names.combine_chunks().drop_null())
    )
    kinds = meant.group_by([_KEYS[key]]).aggregate([("space", "count_distinct")])
    several = kinds.filter(pc.greater(kinds["space_count_distinct"], 1))
    if several.num_rows:
        raise SnapError(
            f"{path}: architectures of {several['space_count_distinct'][0]} spaces are called "
            f"{several[_KEYS[key]][0].as_py()!r}; add a column space to distinguish them"
        )


def _known(graphs: pa.Table, other: pa.Table, name: str) -> MetricFacts | None:
    """Return the facts about a metric from the table's metadata, or else the catalog."""
    field = other.schema.field(name) if name in other.column_names else None
    entries = (field.metadata if field else None) or {}
    direction, unit = (
        entries.get(k, b"").decode(errors="replace") for k in (b"direction", b"unit")
    )
    if direction in ("max", "min"):
        return MetricFacts(name, cast(Direction, direction), unit, "test")
    known = (b.facts(name) for b in benchmarks().values() if b.space in _spaces(graphs))
    return next(filter(None, known), None)


def _spaces(graphs: pa.Table) -> Sequence[str]:
    names: list[str] = graphs["space"].unique().to_pylist()
    return names
