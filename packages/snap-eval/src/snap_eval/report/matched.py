"""Match the scores in a folder of results with the benchmarks whose cells they are of."""

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
    """The n cells of a benchmark that a predictor scored and whose metric is known.

    Attributes:
        benchmark: its name.
        metric: the metric.
        target: what the report calls the two.
        scorer: the predictor.
        seed: its seed; None where the scores name none.
        cells: (n,) their rows of the graphs.
        score: (n,) higher is better.
        oriented: (n,) the metric, negated where less of it is better.
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
        """(n,) the metric as the benchmark gives it."""
        values: Floats = self.cells[self.metric].to_numpy()
        return values


@lru_cache(maxsize=1)
def matches(results: Results) -> tuple[Matched, ...]:
    """Return each predictor with each metric in the correlations.

    Of a predictor with several seeds the first is taken: ranks of several cannot be shown as one.
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
    """Yield the benchmarks, one per file that names its own or holds cells of one space."""
    for file in results.of("graphs"):
        if not nameless(file):
            yield as_measured(file.table, source=file.name)


def nameless(file: File) -> bool:
    """Return whether a file of graphs has no cells, or no name and cells of several spaces."""
    spaces = len(file.table["space"].unique())
    return spaces == 0 or ("snap.benchmark" not in file.facts and spaces > 1)


def metrics(results: Results, benchmark: Measured) -> dict[str, str]:
    """Return the metrics by which a benchmark's cells are ranked, and the title of each."""
    found = (row for row in rows(results) if row["benchmark"] == benchmark.name)
    titles = {row["metric"]: target(row) for row in found}
    return {name: titles[name] for name in benchmark.graphs.column_names if name in titles}


def _placed(results: Results, benchmark: Measured) -> Iterator[tuple[str, int | None, Placed]]:
    """Yield name, first seed and scores of every predictor that scored cells of a benchmark."""
    models = [one for file in results.of("scores") for one in as_scorers(file.table, file.name)]
    seen = set()
    for model in sorted(models, key=lambda model: (model.seed or 0, model.name)):
        placed = model.place(benchmark) if model.name not in seen else None
        if placed and placed.found.any():
            seen.add(model.name)
            yield model.name, model.seed, placed
