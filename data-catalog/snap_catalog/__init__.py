"""Benchmarks, operators and Parquet contracts shared by the SNAP tools."""

from snap_catalog.catalog import Benchmark, MetricFacts, Operator, benchmark, benchmarks, operators
from snap_catalog.errors import SnapError

__all__ = [
    "Benchmark",
    "MetricFacts",
    "Operator",
    "SnapError",
    "benchmark",
    "benchmarks",
    "operators",
]
