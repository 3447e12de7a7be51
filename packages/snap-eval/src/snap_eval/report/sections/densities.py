"""Predicted against measured (paper, Figures 5, 7, 10 and 11)."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from snap_eval.arrays import Floats
from snap_eval.report import charts
from snap_eval.report.correlated import chosen, ranked
from snap_eval.report.figures import Absent, Chart, Part, Spec, slug
from snap_eval.report.matched import Matched, matches
from snap_eval.report.results import Results

COMMAND = "snap-gcn predict GRAPHS.parquet -o SCORES.parquet"
_FIELDS = 20


def ranks(results: Results) -> Iterator[Part]:
    """Show measured over predicted percentiles, one chart per predictor (Figures 5, 10, 11)."""
    groups = _by_scorer(results)
    if not groups:
        yield Absent("predicted against true ranks (Figures 5, 7, 10 and 11)", COMMAND)
    for number, (scorer, found) in enumerate(groups.items()):
        yield _chart(
            slug("ranks", scorer),
            f"Where {scorer} ranks the cells (Figures 5, 10 and 11)",
            "Percentile of the measured metric over that of the score, 100 for the best: the "
            "stronger the colour, the more cells. A perfect order lies on the rising diagonal; "
            f"what search picks from is the right edge.{_seed(found[0])}",
            [_ranks(matched) for matched in found],
            charts.density("score, percentile", "measured, percentile", percent=True),
            folded=number > 0,
        )


def accuracies(results: Results) -> Iterator[Part]:
    """Show measurements over scores of the predictor with the best mean rho (Figure 7)."""
    for scorer, found in list(_by_scorer(results).items())[:1]:
        yield _chart(
            slug("accuracies", scorer),
            f"What {scorer}'s scores mean in measurements (Figure 7)",
            "The metric itself over the score itself: the more strongly coloured a field, the more "
            f"cells. Scores order cells; they are no accuracies.{_seed(found[0])}",
            [_values(matched) for matched in found],
            charts.density("score", "measured", percent=False),
        )


def _by_scorer(results: Results) -> dict[str, list[Matched]]:
    """Group matches by predictor, ordered by mean correlation."""
    groups: dict[str, list[Matched]] = {}
    for matched in matches(results):
        groups.setdefault(matched.scorer, []).append(matched)
    order = ranked(chosen(results, "spearman"))
    known = [name for name in order if name in groups]
    return {name: groups[name] for name in [*known, *sorted(groups.keys() - set(known))]}


def _seed(matched: Matched) -> str:
    return "" if matched.seed is None else f" Seed {matched.seed}."


def _chart(
    name: str, title: str, text: str, data: Sequence[pa.Table], spec: Spec, *, folded: bool = False
) -> Chart:
    table = pa.concat_tables(data)
    return Chart(
        name,
        title,
        text,
        table,
        COMMAND,
        spec,
        panel="panel",
        panels=table["panel"].unique().to_pylist(),
        width=220,
        folded=folded,
    )


def _ranks(matched: Matched) -> pa.Table:
    score, oriented = (_percentiles(values) for values in (matched.score, matched.oriented))
    edges = np.linspace(0, 100, _FIELDS + 1)
    return _fields(matched, score, oriented, edges, edges)


def _percentiles(values: Floats) -> Floats:
    percentiles: Floats = (rankdata(values) - 0.5) / len(values) * 100
    return percentiles


def _values(matched: Matched) -> pa.Table:
    x_edges, y_edges = (
        np.linspace(values.min(), values.max(), _FIELDS + 1)
        for values in (matched.score, matched.measured)
    )
    return _fields(matched, matched.score, matched.measured, x_edges, y_edges)


def _fields(matched: Matched, x: Floats, y: Floats, x_edges: Floats, y_edges: Floats) -> pa.Table:
    """Count the cells in each non-empty field."""
    count = np.histogram2d(x, y, [x_edges, y_edges])[0]
    i, j = np.nonzero(count)
    return pa.table(
        {
            "panel": [matched.target] * len(i),
            "x0": x_edges[i],
            "x1": x_edges[i + 1],
            "y0": y_edges[j],
            "y1": y_edges[j + 1],
            "cells": count[i, j].astype(np.int64),
        }
    )
