"""Benchmarks and search spaces of neural architecture search as graphs in one small Parquet file."""
