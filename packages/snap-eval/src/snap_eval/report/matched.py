"""Match the scores in a folder of results with the cells of its benchmarks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from snap_eval.arrays import Floats
from snap_eval.measured import Measured, as_measured
from snap_eval.report.correlated import rows, target
from snap_eval.report.results import File, Results
from snap_eval.scorers import Placed, as_scorers


@dataclass(frozen=True)
class Matched:
    """The n cells of a benchmark with a score of a predictor and a value of a metric.

    Attributes:
        benchmark: the name of the benchmark.
        metric: the name of the metric.
        target: the title of benchmark and metric in the report.
        scorer: the name of the predictor.
        seed: its seed; None if the scores have none.
        cells: (n,) rows of the graphs.
        score: (n,) scores, higher is better.
        oriented: (n,) the metric, negated if less is better.
    """

    benchmark: str
    metric: str
    target: str
    scorer: str
    seed: int | None
    cells: pa.Table
    score: Floats
    oriented: Floats

    @property
    def measured(self) -> Floats:
        """(n,) values of the metric, in its unit."""
        values: Floats = self.cells[self.metric].to_numpy()
        return values


@lru_cache(maxsize=1)
def matches(results: Results) -> tuple[Matched, ...]:
    """Match each predictor with each metric in the correlations.

    A predictor with several seeds is shown by the first one, as a cell has a rank per seed.
    """
    return tuple(_matches(results))


def _matches(results: Results) -> Iterator[Matched]:
    for benchmark in benchmarks_of(results):
        titles = metrics(results, benchmark)
        for name, seed, placed in _placed(results, benchmark) if titles else ():
            for metric, title in titles.items():
                oriented = benchmark.oriented(metric)
                chosen = np.isfinite(placed.score) & np.isfinite(oriented)
                cells = benchmark.graphs.filter(pa.array(chosen))
                values = placed.score[chosen], oriented[chosen]
                if len(cells):
                    yield Matched(benchmark.name, metric, title, name, seed, cells, *values)


def benchmarks_of(results: Results) -> Iterator[Measured]:
    """Yield one benchmark per file of graphs that names it or has cells of one space."""
    for file in results.of("graphs"):
        if not nameless(file):
            yield as_measured(file.table, source=file.name)


def nameless(file: File) -> bool:
    """Return whether a file of graphs is empty, or has several spaces and no name."""
    spaces = len(file.table["space"].unique())
    return spaces == 0 or ("snap.benchmark" not in file.facts and spaces > 1)


def metrics(results: Results, benchmark: Measured) -> dict[str, str]:
    """Return the metrics of a benchmark in the correlations, with their titles."""
    found = (row for row in rows(results) if row["benchmark"] == benchmark.name)
    titles = {row["metric"]: target(row) for row in found}
    return {name: titles[name] for name in benchmark.graphs.column_names if name in titles}


def _placed(results: Results, benchmark: Measured) -> Iterator[tuple[str, int | None, Placed]]:
    """Yield the name, first seed and scores of each predictor of a benchmark's cells."""
    models = [one for file in results.of("scores") for one in as_scorers(file.table, file.name)]
    seen = set()
    for model in sorted(models, key=lambda model: (model.seed or 0, model.name)):
        placed = model.place(benchmark) if model.name not in seen else None
        if placed and placed.found.any():
            seen.add(model.name)
            yield model.name, model.seed, placed
