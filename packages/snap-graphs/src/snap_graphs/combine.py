"""Put files of graphs together: below one another, or with further metrics beside them."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import MetricFacts, SnapError, benchmarks
from snap_catalog.parquet import decode_metadata

from snap_graphs.formats.base import Request
from snap_graphs.formats.tables import read_table, table_metrics
from snap_graphs.spaces import spaces
from snap_graphs.table import Metric, append_metric

_KEYS = {"arch_id": "arch_id", "arch": "arch_id", "hash": "module_hash"}
"""Columns that name a table's architectures, and the columns of graphs files they stand for."""


class Joined(NamedTuple):
    """Graphs with further metric columns.

    Attributes:
        table: the graphs; the metadata entry `snap.joined` names the file and its SHA-256.
        matched: architectures that the table has a row for.
        unmatched: rows of the table whose architecture the graphs lack.
    """

    table: pa.Table
    matched: int
    unmatched: int


def concat(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Put tables of graphs below one another; metrics that one lacks are null there.

    Args:
        tables: the tables by the names of their files.

    Returns:
        The rows of all. Metadata that all agree on is kept, and so is a metric's.

    Raises:
        SnapError: two tables hold the same architecture, or differ in what a metric is.
    """
    fields: dict[str, tuple[str, pa.Field]] = {}
    for source, table in tables.items():
        for field in table.schema:
            first, known = fields.setdefault(field.name, (source, field))
            if not known.equals(field, check_metadata=True):
                raise SnapError(
                    f"{source}: column {field.name!r} differs in type, direction or unit from "
                    f"that of {first}; convert one of them anew"
                )
    schema = pa.schema([field for _, field in fields.values()])
    _refuse_shared(tables)
    parts = [_with_all(table, schema) for table in tables.values()]
    entries = [decode_metadata(table.schema) for table in tables.values()]
    agreed = {k: v for k, v in entries[0].items() if all(e.get(k) == v for e in entries)}
    return pa.concat_tables(parts).replace_schema_metadata(agreed)


def join(graphs: pa.Table, path: str | os.PathLike[str], request: Request) -> Joined:
    """Add a table's metric columns to graphs, row by row of the same architecture.

    Args:
        graphs: a table of the `graphs` contract.
        path: a table or a graphs file. Its architectures are named in a column `arch_id`, `arch`
            (the space's native string) or `hash` (NAS-Bench-101's module hash).
        request: columns that the user maps to metrics, and what is said of them.

    Raises:
        SnapError: the table names no architectures, or one twice, has no metric column, one that
            the graphs already have, or one that nothing is known of.
    """
    source = Path(path)
    other = read_table(source)
    key = next((k for k in _KEYS if k in other.column_names), None)
    if key is None or _KEYS[key] not in graphs.column_names:
        raise SnapError(f"{path}: it needs a column arch_id, arch or (for nb101) hash to join by")
    metrics = table_metrics(source, other, request)
    if not metrics:
        raise SnapError(f"{path}: no metric column in it; map one with --column NAME=METRIC")
    names = _native(graphs, other[key], key)
    _refuse_repeated(source, names)
    place = pc.index_in(graphs[_KEYS[key]], value_set=names)
    found = pc.is_valid(place).to_numpy()
    rows = place.drop_null().to_numpy()
    for name, values in metrics.items():
        if name in graphs.column_names:
            raise SnapError(f"{path}: the graphs already have {name!r}; rename it with --column")
        known = _facts(source, graphs, other, name, request)
        column = np.full(graphs.num_rows, np.nan)
        column[found] = values[rows]
        graphs = append_metric(graphs, name, Metric(column, known.direction, known.unit))
    matched = int(found.sum())
    return Joined(_with_origin(graphs, source), matched, len(names) - matched)


def _with_origin(graphs: pa.Table, source: Path) -> pa.Table:
    """Record a joined file and its SHA-256 in the metadata, after those joined before it."""
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    entries = decode_metadata(graphs.schema)
    origins = [*filter(None, [entries.get("snap.joined")]), f"{source.name} {digest}"]
    return graphs.replace_schema_metadata({**entries, "snap.joined": ", ".join(origins)})


def _with_all(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table[field.name]
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _refuse_shared(tables: Mapping[str, pa.Table]) -> None:
    home: dict[tuple[str, str], str] = {}
    for source, table in tables.items():
        keys = zip(table["space"].to_pylist(), table["arch_id"].to_pylist(), strict=True)
        for key in keys:
            if home.setdefault(key, source) != source:
                raise SnapError(
                    f"{source}: architecture {key[1]!r} is also in {home[key]}; drop it from one, "
                    "or join the files"
                )


def _native(graphs: pa.Table, names: pa.ChunkedArray, key: str) -> pa.Array:
    """Bring native strings into the form that the graphs have; null where they are none."""
    names = names.cast(pa.string()).combine_chunks()
    known = graphs["space"].unique().to_pylist()
    if key != "arch" or len(known) != 1 or known[0] not in spaces():
        return names
    home = spaces()[known[0]]

    def native(name: str) -> str | None:
        try:
            return home.format(home.parse(name))
        except SnapError:
            return None

    return pa.array([native(name) for name in names.to_pylist()], pa.string())


def _refuse_repeated(path: Path, names: pa.Array) -> None:
    counts = pa.table({"name": names.drop_null()}).group_by("name").aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1))
    if repeated.num_rows:
        raise SnapError(
            f"{path}: {repeated['count_all'][0]} rows are about {repeated['name'][0]}; keep one"
        )


def _facts(
    path: Path, graphs: pa.Table, other: pa.Table, name: str, request: Request
) -> MetricFacts:
    """Find what is known of a metric: said by the user, written in the file, or catalogued."""
    if name in request.declared:
        return request.declared[name]
    known = [b.facts(name) for b in benchmarks().values() if b.space in _spaces(graphs)]
    entries = (other.schema.field(name).metadata if name in other.column_names else None) or {}
    written = (
        [MetricFacts(name, entries[b"direction"].decode(), entries[b"unit"].decode(), "test")]
        if entries.keys() >= {b"direction", b"unit"}
        else []
    )
    facts = next((f for f in (*written, *known) if f is not None), None)
    if facts is None:
        raise SnapError(
            f"{path}: the catalog does not know {name!r}; say --column NAME={name}:UNIT:DIRECTION"
        )
    return facts


def _spaces(graphs: pa.Table) -> Sequence[str]:
    names: list[str] = graphs["space"].unique().to_pylist()
    return names
