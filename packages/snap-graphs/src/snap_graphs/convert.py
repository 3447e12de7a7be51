"""Convert benchmarks to tables of the `graphs` contract."""

import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from snap_catalog import Benchmark, SnapError, benchmarks
from snap_catalog.checksums import file_sha256
from snap_catalog.metrics import is_metric

from snap_graphs.conversion_cache import once
from snap_graphs.formats.analog import AnalogNasBench
from snap_graphs.formats.base import Chunk, Format, Request
from snap_graphs.formats.custom import CustomCells
from snap_graphs.formats.hw_nasbench import HwNasBenchFbNet, HwNasBenchPickle, HwNasBenchTable
from snap_graphs.formats.nasbench101 import NasBench101Records, NasLibNasBench101
from snap_graphs.formats.nasbench301 import NasBench301Runs
from snap_graphs.formats.nasbench_graph import NasBenchGraphFiles
from snap_graphs.formats.nats import NasBench201Pth, NatsSizes, NatsTopology
from snap_graphs.formats.nds import NdsSweeps
from snap_graphs.formats.onnx import OnnxFiles
from snap_graphs.formats.suite_zero import (
    SuiteZeroNasBench101,
    SuiteZeroNasBench201,
    SuiteZeroNasBench301,
    SuiteZeroTransNasMacro,
    SuiteZeroTransNasMicro,
)
from snap_graphs.formats.tables import (
    DartsTable,
    NasBench101Table,
    NasBench201Table,
    NasBench301Table,
    TransNasMacroTable,
    TransNasMicroTable,
)
from snap_graphs.formats.transnas import TransNasMacroFile, TransNasMicroFile
from snap_graphs.networks import network_table
from snap_graphs.sources import is_installed, own_source
from snap_graphs.table import graph_table, metric_of
from snap_graphs.units import check_percent, metric

# To add a benchmark, list its readers here, under the name that `snap-graphs convert` takes. Their
# `benchmark` is the name of its TOML file in snap-catalog.
FORMATS: Mapping[str, tuple[Format, ...]] = {
    "nb101": (
        SuiteZeroNasBench101(),
        NasBench101Records(),
        NasLibNasBench101(),
        NasBench101Table(),
    ),
    "nb201": (
        SuiteZeroNasBench201(),
        NatsTopology(),
        NasBench201Table(),
        AnalogNasBench(),
        NasBench201Pth(),
    ),
    "natss": (NatsSizes(),),
    "custom": (CustomCells(),),
    "darts": (DartsTable(),),
    "nb301": (SuiteZeroNasBench301(), NasBench301Runs(), NasBench301Table()),
    "nds": (NdsSweeps(),),
    "transnas-micro": (SuiteZeroTransNasMicro(), TransNasMicroFile(), TransNasMicroTable()),
    "transnas-macro": (SuiteZeroTransNasMacro(), TransNasMacroFile(), TransNasMacroTable()),
    "nb-graph": (NasBenchGraphFiles(),),
    "hw": (HwNasBenchPickle(), HwNasBenchTable()),
    "hw-fbnet": (HwNasBenchFbNet(),),
    "onnx": (OnnxFiles(),),
}
"""The formats of each benchmark, in the order in which they are tried."""


def convert(
    name: str,
    source: str | os.PathLike[str] | None = None,
    request: Request | None = None,
) -> pa.Table:
    """Convert one benchmark.

    Args:
        name: the benchmark.
        source: its file or folder, in any format of `FORMATS`. By default a file in the cache, else
            an installed data package, else a download.
        request: options; the default converts everything.

    Returns:
        A table of the `graphs` contract whose metadata names the benchmark, its licence and
        citation, and the source with its SHA-256.

    Raises:
        SnapError: the benchmark is unknown, its source is missing, a record is bad, or a metric has
            a wrong unit.
    """
    request = request or Request()
    path = locate(name, source)
    packaged = any(is_installed(entry, path) for entry in _catalogued(name))
    if packaged and request.everything:
        sha256 = file_sha256(*_recognise(name, path).files(path))
        return once(name, sha256, lambda: _converted(name, path, request))
    return _converted(name, path, request)


def _converted(name: str, path: Path, request: Request) -> pa.Table:
    reader = _recognise(name, path)
    facts = reader.facts(path)
    chunks = reader.chunks(path, request)
    parts = [_table(facts, path, chunk, request) for chunk in chunks if chunk.arch_ids]
    if not parts:
        raise SnapError(f"{path}: contains no readable architecture")
    table = pa.concat_tables(parts, promote_options="default")
    if reader.by_hand:
        for name in filter(is_metric, table.column_names):
            check_percent(path, name, metric_of(table, name), request)
    described = table.schema.metadata or {}
    provenance = {
        "snap.benchmark": facts.name,
        "snap.source": path.name,
        "snap.source_sha256": file_sha256(*reader.files(path)),
        "snap.licence": facts.licence,
        "snap.citation": facts.citation.strip(),
    }
    return table.replace_schema_metadata({**described, **provenance, **reader.metadata(path)})


def locate(name: str, source: str | os.PathLike[str] | None, *, quiet: bool = True) -> Path:
    """Return the path that `convert` reads; downloads it if necessary.

    Args:
        name: the benchmark.
        source: the source given to `convert`.
        quiet: show no progress of a download.

    Raises:
        SnapError: the benchmark is unknown, or its source is missing or not available.
    """
    if name not in FORMATS:
        raise SnapError(f"unknown benchmark {name!r}; choose one of {', '.join(FORMATS)}")
    if source is None:
        return own_source(name, _catalogued(name), quiet=quiet)
    path = Path(source)
    if not path.exists():
        raise SnapError(f"{path}: no such file")
    return path


def _catalogued(name: str) -> list[Benchmark]:
    """Return the catalogued benchmarks whose files a benchmark's readers read."""
    names = dict.fromkeys(reader.benchmark for reader in FORMATS[name])
    return [benchmarks()[entry] for entry in names if entry in benchmarks()]


def _recognise(name: str, path: Path) -> Format:
    for known in FORMATS[name]:
        if known.recognises(path):
            return known
    titles = "; ".join(known.title for known in FORMATS[name])
    raise SnapError(f"{path}: not a known source of {name}; supported are {titles}")


def _table(facts: Benchmark, path: Path, chunk: Chunk, request: Request) -> pa.Table:
    if chunk.networks:
        return network_table(request.space or facts.space, chunk.arch_ids, chunk.networks)
    metrics = {
        name: metric(path, name, values, facts.facts(name), request)
        for name, values in chunk.metrics.items()
    }
    return graph_table(
        facts.space,
        chunk.cells,
        arch_ids=chunk.arch_ids,
        metrics=metrics,
        module_hashes=chunk.module_hashes,
    )
