"""The benchmarks in the results."""

from collections.abc import Iterator

from snap_catalog import benchmarks
from snap_catalog.parquet import decode_metadata

from snap_eval.measured import Measured
from snap_eval.report.correlated import role, rows
from snap_eval.report.figures import Absent, Part, Skipped, plain_table
from snap_eval.report.matched import benchmarks_of, metrics, nameless
from snap_eval.report.results import Results

COMMAND = "snap-graphs convert BENCHMARK GRAPHS.parquet"


def data(results: Results) -> Iterator[Part]:
    """List benchmarks with roles and files, files that are no benchmark, and missing benchmarks."""
    present = list(benchmarks_of(results))
    if present:
        yield plain_table(
            "benchmarks",
            "Benchmarks",
            "Of those in the catalog, what their numbers may be used for: fitting (train), "
            "stopping (validate), choosing (develop), or reporting alone (test).",
            COMMAND,
            [_row(results, benchmark) for benchmark in present],
        )
    for file in results.of("graphs"):
        if nameless(file):
            yield Skipped(
                f"{file.name}.parquet",
                "it holds no cell, or cells of several spaces without the name of a benchmark",
            )
    for name in results.foreign:
        yield Skipped(f"{name}.parquet", "no file of the SNAP tools; keep it in another folder")
    names = {benchmark.name for benchmark in present}
    for name, known in benchmarks().items():
        if name not in names:
            yield Absent(known.title, f"snap-graphs convert {name} {name}.parquet")


def _row(results: Results, benchmark: Measured) -> dict[str, object]:
    known = benchmarks().get(benchmark.name)
    facts = decode_metadata(benchmark.graphs.schema)
    found = [row for row in rows(results) if row["benchmark"] == benchmark.name]
    return {
        "benchmark": benchmark.name,
        "title": known.title if known else "",
        "cells": len(benchmark.graphs),
        "metrics ranked by": len(metrics(results, benchmark)),
        "roles": ", ".join(sorted({*map(role, found)} - {""})) or "not in the catalog",
        "licence": facts.get("snap.licence", "not stated"),
        "source": facts.get("snap.source", "not stated"),
        "SHA-256 of the source": facts.get("snap.source_sha256", "not stated")[:12],
    }
