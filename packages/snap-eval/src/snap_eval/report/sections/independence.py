"""Correlations between scorers (paper, Figures 4 and 8)."""

from collections.abc import Iterator

import pyarrow as pa

from snap_eval.report import charts
from snap_eval.report.figures import Absent, Chart, Part, slug
from snap_eval.report.results import File, Results

COMMAND = "snap-eval independence --graphs GRAPHS.parquet --scores SCORES.parquet"


def independence(results: Results) -> Iterator[Part]:
    """Show Spearman's rho between scorers, one chart per benchmark."""
    if not results.of("independence"):
        yield Absent("how alike scorers are (Figures 4 and 8)", COMMAND)
    for file in results.of("independence"):
        for benchmark in file.table["benchmark"].unique().to_pylist():
            yield _chart(file, benchmark)


def _chart(file: File, benchmark: str) -> Chart:
    rows = [row for row in file.table.to_pylist() if row["benchmark"] == benchmark]
    order = {row["scorer"]: row["place"] for row in rows}
    rows.sort(key=lambda row: (order[row["scorer"]], order.get(row["other"], len(order))))
    data = [
        {"row": row["scorer"], "column": row["other"], "value": row["spearman"], "cells": row["n"]}
        for row in rows
    ]
    return Chart(
        slug("independence", benchmark),
        f"Which scorers agree on {benchmark} (Figures 4 and 8)",
        f"Spearman's rho between scorers over {max(row['n'] for row in rows):,} cells drawn at "
        f"random (seed {file.facts['snap.cells_seed']}); alike ones stand side by side. Only what "
        "is unlike the others can add something to them.",
        pa.Table.from_pylist(data),
        COMMAND,
        charts.heat_map(len(order)),
        width=160 + 40 * len(order),
        most=160 + 60 * len(order),
    )
