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
from snap_catalog.errors import SnapError

__all__ = [
    "Benchmark",
    "GraphFacts",
    "MetricFacts",
    "Operator",
    "SnapError",
    "benchmark",
    "benchmarks",
    "graph_facts",
    "operators",
]
