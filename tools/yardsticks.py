"""What a predictor has to beat: scores of cells that need no predictor."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import printed
import pyarrow as pa
from rankings import Ranking, rank
from snap_catalog import graph_facts
from snap_catalog.scores import NO_SCORE
from snap_eval import spearman
from snap_eval.estimate import Floats
from snap_eval.measured import count_operators

COSTS: Mapping[str, str] = MappingProxyType({"parameters": "params", "multiply-adds": "flops"})


class Column(NamedTuple):
    """Cells of a benchmark, and what is to be predicted of them.

    Attributes:
        title: what to call it.
        graphs: the cells, with their measurements and scores.
        metric: the column of the measurements, of which more is better.
        scores: columns of scores that all these cells have, by what to call them.
        note: what else to know of the cells.
    """

    title: str
    graphs: pa.Table
    metric: str
    scores: Mapping[str, str] = COSTS
    note: str = ""


class Row(NamedTuple):
    """What a scorer is worth on a column.

    Attributes:
        scorer: its name.
        sign: the one it was given there; empty for predictors, which have none to be given.
        rankings: one a seed.
    """

    scorer: str
    sign: str
    rankings: Sequence[Ranking]

    def mean(self, figure: str) -> float:
        """Return the mean of one of the figures over the seeds."""
        return fmean(self._values(figure))

    def spread(self, figure: str) -> str:
        """Write the mean and deviation of one of the figures."""
        values = self._values(figure)
        return printed.spread(values, digits=3 if abs(values[0]) < 10 else 2)

    def _values(self, figure: str) -> list[float]:
        return [getattr(ranking, figure) for ranking in self.rankings]


def scored(title: str, graphs: pa.Table, metric: str) -> Column:
    """Keep the cells that every zero-cost proxy of a table scored, and note how many are left out.

    The sentinel is no score.
    """
    columns = [name for name in graphs.column_names if name.startswith("proxy/")]
    proxies = {f"proxy {name.split('/')[-1]}": name for name in columns}
    values = np.stack([graphs[name].to_numpy() for name in columns])
    empty = np.isnan(values).any(axis=0)
    sentinel = (values == NO_SCORE).any(axis=0) & ~empty
    note = f"{empty.sum():,} without a score and {sentinel.sum():,} with the sentinel left out"
    kept = graphs.filter(pa.array(~(empty | sentinel)))
    return Column(title, kept, metric, {**COSTS, **proxies}, note)


def yardsticks(column: Column) -> Iterator[Row]:
    """Rank a column's cells with its scores, and with counts of operators, where they differ.

    Each has the sign that makes its Spearman correlation positive on these cells.
    """
    graphs = column.graphs
    known = {name: graphs[score].cast(pa.float64()) for name, score in column.scores.items()}
    identity = graph_facts(graphs["space"][0].as_py()).identity
    known["convolutions"] = pa.array(count_operators(graphs, "*conv*"))
    known["skips"] = pa.array(count_operators(graphs, identity))
    for name, scores in known.items():
        score, goodness = paired(column, scores)
        rho = spearman(score, goodness)
        if not np.isnan(rho):
            sign = 1 if rho > 0 else -1
            yield Row(name, f"{sign:+}"[0], [rank(sign * score, goodness)])


def paired(column: Column, scores: pa.Array | pa.ChunkedArray) -> tuple[Floats, Floats]:
    """Return (m,) scores and (m,) measurements of the measured ones of a column's n cells.

    Args:
        column: the cells.
        scores: (n,) one a cell.
    """
    values: Floats = column.graphs[column.metric].to_numpy()
    there = ~np.isnan(values)
    return scores.to_numpy().astype(np.float64)[there], values[there]
