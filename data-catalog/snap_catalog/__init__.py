"""Benchmarks, operators and Parquet contracts shared by the SNAP tools."""

from snap_catalog.catalog import (
    Benchmark,
    GraphFacts,
    MetricFacts,
    Operator,
    benchmark,
    benchmarks,
    graph_facts,
    operators,
)
from snap_catalog.conventions import conventional_metric, direction_of
from snap_catalog.errors import SnapError
from snap_catalog.texts import Term, corpus

__all__ = [
    "Benchmark",
    "GraphFacts",
    "MetricFacts",
    "Operator",
    "SnapError",
    "Term",
    "benchmark",
    "benchmarks",
    "conventional_metric",
    "corpus",
    "direction_of",
    "graph_facts",
    "operators",
]
