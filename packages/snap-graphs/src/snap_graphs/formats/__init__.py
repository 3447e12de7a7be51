"""The files that benchmarks come in, one module a format."""
