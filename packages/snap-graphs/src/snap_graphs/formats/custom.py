"""Read a user's cells from JSON or YAML; the README specifies the format."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from snap_catalog import Benchmark, MetricFacts, SnapError
from snap_catalog.errors import excerpt
from snap_catalog.metrics import is_metric
from snap_catalog.nested import entries_once, parse_json
from snap_catalog.rules import MOST_NODES

from snap_graphs.canonical import prune
from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.formats.base import CHUNK, Chunk, Format, Request
from snap_graphs.spaces import spaces
from snap_graphs.spaces.definition import NAME

_MOST_BYTES: Mapping[str, int] = {".json": 2**28, ".yaml": 2**24, ".yml": 2**24}
_SUFFIXES = tuple(_MOST_BYTES)
_ENTRIES = ("space", "operators", "metrics", "cells", "licence", "citation")
_CELL_ENTRIES = ("id", "nodes", "edges", "metrics")


class _Row(NamedTuple):
    arch_id: str
    cell: Cell
    metrics: Mapping[str, float]


class CustomCells(Format):
    """A file with the name, operators, metrics and cells of a space."""

    title: ClassVar[str] = f"a file of cells ({', '.join(_SUFFIXES)})"
    suffixes: ClassVar[tuple[str, ...]] = _SUFFIXES
    benchmark: ClassVar[str] = "custom"
    by_hand: ClassVar[bool] = True

    def facts(self, path: Path) -> Benchmark:
        """Return the space and the metrics that the file declares."""
        document = _document(path)
        return Benchmark(
            name=self.benchmark,
            space=_space(path, document),
            title=f"cells of {path.name}",
            licence=_text(path, document, "licence", "not stated"),
            citation=_text(path, document, "citation", ""),
            metrics=tuple(_metrics(path, document).values()),
        )

    def metadata(self, path: Path) -> Mapping[str, str]:
        """Return the descriptions of operators as JSON, if there are any."""
        described = {k: v for k, v in _operators(path, _document(path)).items() if v}
        return {"snap.operators": json.dumps(described)} if described else {}

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the cells; records are counted from 1."""
        document = _document(path)
        operators, metrics = _operators(path, document), _metrics(path, document)
        rows: dict[str, _Row] = {}
        entries = document.get("cells")
        if not isinstance(entries, list):
            raise SnapError(f"{path}: cells must be a list")
        for number, entry in enumerate(entries, 1):
            try:
                row = _row(entry, operators, metrics)
                if row.arch_id in rows:
                    raise SnapError(f"id {row.arch_id!r} is repeated; rename one cell")
                rows[row.arch_id] = row
            except SnapError as error:
                request.bad(path, number, error)
        ordered = list(rows.values())
        for first in range(0, len(ordered), CHUNK):
            part = ordered[first : first + CHUNK]
            values = {
                name: np.array([r.metrics.get(name, np.nan) for r in part]) for name in metrics
            }
            yield Chunk([row.cell for row in part], [row.arch_id for row in part], values)


def _document(path: Path) -> Mapping[str, Any]:
    most = _MOST_BYTES[path.suffix]
    try:
        if path.stat().st_size > most:
            raise SnapError(f"{path}: larger than {most >> 20} MiB; split it and concat the parts")
        text = path.read_text("utf-8-sig")
        if path.suffix == ".json":
            document = _from_json(text)
        else:
            from snap_graphs.formats.yaml_text import parse_yaml  # most conversions need no YAML

            document = parse_yaml(text)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SnapError(f"{path}: cannot be read ({reason}); correct or replace it") from error
    if not isinstance(document, dict):
        raise SnapError(f"{path}: must have the entries space and cells at the top level")
    unknown = [key for key in document if key not in _ENTRIES]
    if unknown:
        raise SnapError(
            f"{path}: unknown entry {excerpt(unknown[0])}; known are {', '.join(_ENTRIES)}"
        )
    return document


def _from_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON number; use null")

    document = parse_json(text, parse_constant=refuse, object_pairs_hook=entries_once)
    if r"\ud" in text.lower():  # a lone surrogate would fail only on writing
        json.dumps(document, ensure_ascii=False).encode()
    return document


def _space(path: Path, document: Mapping[str, Any]) -> str:
    name = document.get("space")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise SnapError(
            f"{path}: space must be a name of letters, digits, _ . -, not {excerpt(name)}"
        )
    if name in spaces():
        raise SnapError(f"{path}: {name} is the name of a known space; choose another name")
    return name


def _text(path: Path, document: Mapping[str, Any], entry: str, default: str) -> str:
    text = document.get(entry, default)
    if not isinstance(text, str):
        raise SnapError(f"{path}: {entry} must be text, not {excerpt(text)}")
    return text


def _mapping(path: Path, document: Mapping[str, Any], entry: str) -> Mapping[str, Any]:
    values = document.get(entry, {})
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise SnapError(f"{path}: {entry} must be a mapping from names")
    return values


def _operators(path: Path, document: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the declared operators and their descriptions; empty if any name is allowed."""
    declared = _mapping(path, document, "operators")
    for name, text in declared.items():
        if text is not None and not isinstance(text, str):
            raise SnapError(f"{path}: operator {name!r}: the description must be text or null")
    return dict(declared)


def _metrics(path: Path, document: Mapping[str, Any]) -> dict[str, MetricFacts]:
    facts = {}
    for name, entry in _mapping(path, document, "metrics").items():
        if not is_metric(name):
            raise SnapError(f"{path}: metric {name!r} is not named <dataset>/<split>/<metric>")
        entry = {"unit": "", **entry} if isinstance(entry, dict) else {}
        direction, unit = entry.get("direction"), entry.get("unit")
        if direction not in ("max", "min") or not isinstance(unit, str) or len(entry) > 2:
            raise SnapError(
                f"{path}: metric {name!r} needs direction: max or min, and optionally unit"
            )
        facts[name] = MetricFacts(name, direction, unit, "test")
    return facts


def _row(entry: Any, operators: Mapping[str, Any], metrics: Mapping[str, Any]) -> _Row:
    if not isinstance(entry, dict) or not {"id", "nodes", "edges"} <= entry.keys():
        raise SnapError("a cell needs the entries id, nodes and edges")
    unknown = [key for key in entry if key not in _CELL_ENTRIES]
    if unknown:
        raise SnapError(
            f"unknown entry {excerpt(unknown[0])}; known are {', '.join(_CELL_ENTRIES)}"
        )
    if not isinstance(entry["id"], str) and not _is_short_integer(entry["id"]):
        raise SnapError(f"id must be text or a whole number, not {excerpt(entry['id'])}")
    cell = Cell(_nodes(entry["nodes"], operators), _edges(entry["edges"]))
    if not prune(cell).edges:
        raise SnapError("no path leads from input to output")
    return _Row(str(entry["id"]), cell, _values(entry.get("metrics") or {}, metrics))


def _nodes(nodes: Any, operators: Mapping[str, Any]) -> tuple[str, ...]:
    if not isinstance(nodes, list) or not all(isinstance(name, str) and name for name in nodes):
        raise SnapError("nodes must be a list of operator names (quoted if YAML requires it)")
    if len(nodes) > MOST_NODES:
        raise SnapError(f"{len(nodes):,} nodes are more than the {MOST_NODES:,} a cell may have")
    if nodes.count(OUTPUT) != 1:
        raise SnapError("a cell needs exactly one node `output`")
    unknown = sorted(set(nodes) - {INPUT, OUTPUT, *operators}) if operators else []
    if unknown:
        raise SnapError(f"operator {unknown[0]!r} is not among the file's operators")
    return tuple(nodes)


def _edges(edges: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(edges, list) or not all(map(_is_pair, edges)):
        raise SnapError("edges must be a list of pairs of node positions, such as [0, 1]")
    pairs = sorted((src, dst) for src, dst in edges)
    twice = [pair for pair, after in itertools.pairwise(pairs) if pair == after]
    if twice:
        raise SnapError(f"the edge {twice[0][0]}->{twice[0][1]} is repeated")
    return tuple(pairs)


def _is_pair(edge: Any) -> bool:
    return isinstance(edge, list) and len(edge) == 2 and all(map(_is_short_integer, edge))


def _is_short_integer(value: Any) -> bool:
    """Return whether a value is an integer of less than 64 bits."""
    return type(value) is int and value.bit_length() < 64


def _values(values: Any, metrics: Mapping[str, Any]) -> dict[str, float]:
    if not isinstance(values, dict):
        raise SnapError("metrics must be a mapping from names to numbers")
    numbers = {}
    for name, value in values.items():
        if name not in metrics:
            raise SnapError(f"metric {name!r} is not declared in the file's metrics")
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise SnapError(f"metric {name!r} must be a number or null, not {excerpt(value)}")
        if value is not None:
            numbers[name] = math.inf
            with suppress(OverflowError):
                numbers[name] = float(value)
            if not math.isfinite(numbers[name]):
                raise SnapError(f"metric {name!r} is not finite; use null")
    return numbers
