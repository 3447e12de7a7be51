"""The best-scored candidates of each predictor."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata
from snap_graphs import Cell

from snap_eval.report.drawings import Named, drawings
from snap_eval.report.figures import Absent, Entry, Part, Table, entry
from snap_eval.report.matched import Matched, matches
from snap_eval.report.results import Results
from snap_eval.report.sections.densities import COMMAND

_BEST = 3


def best(results: Results) -> Iterator[Part]:
    """Show the best-scored candidates of each predictor with their drawings."""
    found = [candidate for matched in matches(results) for candidate in _candidates(matched)]
    if not found:
        yield Absent("the cells that predictors rate highest", COMMAND)
        return
    data = pa.Table.from_pylist([row | {"cell": named.arch_id} for named, row in found])
    yield Table(
        "best-cells",
        f"The {_BEST} cells that each predictor rates highest",
        "What was measured of them, and their true rank among all cells that were scored; tied "
        "cells share the best of their ranks. Point at a cell, or tap it, to see it drawn.",
        data,
        COMMAND,
        data.column_names,
        [
            [*map(entry, row.values()), Entry(named.arch_id, drawing=named.key)]
            for named, row in found
        ],
        drawings(named for named, _ in found),
    )


def _candidates(matched: Matched) -> Iterator[tuple[Named, dict[str, Any]]]:
    order = np.argsort(-matched.score, kind="stable")[:_BEST]
    rank = rankdata(-matched.oriented, method="min")
    rows = matched.cells.take(order).to_pylist()
    for place, (index, row) in enumerate(zip(order, rows, strict=True), start=1):
        edges = tuple(zip(row["src"], row["dst"], strict=True))
        named = Named(row["space"], row["arch_id"], Cell(tuple(row["nodes"]), edges))
        yield (
            named,
            {
                "benchmark": matched.benchmark,
                "metric": matched.metric,
                "predictor": matched.scorer,
                "place": place,
                "measured": float(matched.measured[index]),
                "true rank": int(rank[index]),
                "of": len(rank),
            },
        )
