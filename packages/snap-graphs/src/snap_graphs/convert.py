"""Turn benchmarks into tables of the `graphs` contract."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from snap_catalog import Benchmark, SnapError, benchmark

from snap_graphs.analog import read_analog
from snap_graphs.cell import Cell
from snap_graphs.sources import installed_file, read_source
from snap_graphs.spaces.nb101 import NasBench101, module_hash
from snap_graphs.spaces.nb201 import NasBench201
from snap_graphs.table import Metric, graph_table

_CHECKED_HASHES = 1000


def convert(name: str, source: str | os.PathLike[str] | None = None) -> pa.Table:
    """Convert one benchmark.

    Args:
        name: `nb101` or `nb201`.
        source: a table (CSV, gzipped CSV or Parquet). Where None, `nb201` comes from the
            installed data package `analog-nasbench`.

    Returns:
        A table of the `graphs` contract whose metadata names the benchmark, its licence and
        citation, and the source with its SHA-256.

    Raises:
        SnapError: the benchmark is unknown, its source is missing, or a row is bad.
    """
    if name not in _CONVERTERS:
        raise SnapError(f"cannot convert {name!r}; known are {', '.join(_CONVERTERS)}")
    if source is not None:
        return _CONVERTERS[name](Path(source))
    if name == "nb201":
        return convert_analog()
    raise SnapError(
        f"{name} comes in no installed data package; "
        f"name its table: snap-graphs convert {name} OUT --source TABLE"
    )


def convert_nb101(path: Path) -> pa.Table:
    """Convert a table with the columns `n_vertices`, `adj_upper` and `ops`.

    A column `hash` becomes `module_hash` after a sample of it was recomputed; without one, all
    hashes are computed.
    """
    table = read_source(path, needed=("n_vertices", "adj_upper", "ops"))
    shapes = zip(*(table[c].to_pylist() for c in ("n_vertices", "adj_upper", "ops")), strict=True)
    cells = _each_row(path, lambda shape: NasBench101().cell(*shape), list(shapes))
    return _finish(
        benchmark("nb101"),
        path,
        graph_table(
            "nb101",
            cells,
            metrics=_metrics(path, benchmark("nb101"), table),
            module_hashes=_module_hashes(path, table, cells),
        ),
    )


def convert_nb201(path: Path) -> pa.Table:
    """Convert a table with a column `arch` of NAS-Bench-201 strings."""
    table = read_source(path, needed=("arch",))
    arch_ids = table["arch"].to_pylist()
    cells = _each_row(path, NasBench201().parse, arch_ids)
    facts = benchmark("nb201")
    metrics = _metrics(path, facts, table)
    return _finish(facts, path, graph_table("nb201", cells, arch_ids=arch_ids, metrics=metrics))


def convert_analog() -> pa.Table:
    """Convert the installed data package `analog-nasbench`."""
    facts = benchmark("analog-nasbench")
    path = installed_file(facts)
    cells, values = read_analog(path)
    metrics = {name: _metric(path, facts, name, column) for name, column in values.items()}
    return _finish(facts, path, graph_table("nb201", cells, metrics=metrics))


_CONVERTERS: Mapping[str, Callable[[Path], pa.Table]] = {
    "nb101": convert_nb101,
    "nb201": convert_nb201,
}


def _each_row(path: Path, make: Callable[[Any], Cell], rows: Sequence[Any]) -> list[Cell]:
    cells = []
    for number, row in enumerate(rows, start=1):
        try:
            cells.append(make(row))
        except SnapError as error:
            raise SnapError(f"{path}: row {number}: {error}") from error
    return cells


def _metrics(path: Path, facts: Benchmark, table: pa.Table) -> dict[str, Metric]:
    names = [name for name in table.column_names if "/" in name]
    columns = {name: table[name].to_numpy() for name in names}
    return {name: _metric(path, facts, name, column) for name, column in columns.items()}


def _metric(path: Path, facts: Benchmark, name: str, column: np.ndarray) -> Metric:
    known = facts.facts(name)
    if known is None:
        patterns = ", ".join(entry.pattern for entry in facts.metrics)
        raise SnapError(
            f"{path}: the catalog does not know column {name!r} of {facts.name} "
            f"(it knows {patterns}); rename or drop it"
        )
    try:
        values = np.asarray(column, np.float64)
    except ValueError as error:
        raise SnapError(f"{path}: column {name!r} holds no numbers ({error})") from error
    if np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0]) + 1
        raise SnapError(f"{path}: row {row}: column {name!r} is not finite; leave it empty instead")
    return Metric(values, known.direction, known.unit)


def _module_hashes(path: Path, table: pa.Table, cells: Sequence[Cell]) -> list[str]:
    if "hash" not in table.column_names:
        return [module_hash(cell) for cell in cells]
    published: list[str] = table["hash"].to_pylist()
    step = max(1, len(cells) // _CHECKED_HASHES)
    for row in range(0, len(cells), step):
        expected = module_hash(cells[row])
        if published[row] != expected:
            raise SnapError(
                f"{path}: row {row + 1}: hash {published[row]!r} is not the cell's ({expected}); "
                "mend the row, or drop the column to have hashes computed"
            )
    return published


def _finish(facts: Benchmark, path: Path, table: pa.Table) -> pa.Table:
    provenance = {
        "snap.benchmark": facts.name,
        "snap.source": path.name,
        "snap.source_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "snap.licence": facts.licence,
        "snap.citation": facts.citation.strip(),
    }
    return table.replace_schema_metadata(provenance)
