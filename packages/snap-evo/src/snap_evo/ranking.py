"""Rank a whole search space, by a scorer's scores or by measured accuracies.

No search uses measured accuracies: the benchmarks have the role `test` and are only reported.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import SnapError, benchmark
from snap_graphs import Space, graph_table, space
from snap_graphs.convert import convert
from snap_graphs.sources import installed_file

from snap_evo.combination import network_scorers
from snap_evo.scorers import Scorer, Scores, score_graphs

CHANCE_SEEDS = 20
_MEASURED = {"nb201": ("analog-nasbench", "cifar10/test/baseline_accuracy")}


@dataclass(frozen=True)
class Ranking:
    """Values of all architectures of a space, higher is better.

    Attributes:
        graphs: n rows of the `graphs` contract.
        values: (n,) one per architecture.
    """

    graphs: pa.Table
    values: Scores

    def __len__(self) -> int:
        return len(self.values)

    @property
    def distinct(self) -> int:
        """Number of cells that differ without dead operators."""
        return len(self.graphs["cell_hash"].unique())

    def arch_id(self, row: int) -> str:
        """Return the architecture of a row."""
        return str(self.graphs["arch_id"][row])

    def row(self, arch_id: str) -> int:
        """Return the row of an architecture, or -1."""
        return int(pc.index(self.graphs["arch_id"], arch_id).as_py())

    def rank(self, row: int) -> int:
        """Return 1 + the number of architectures with a higher value."""
        return 1 + int(np.sum(self.values > self.values[row]))

    def ties(self, row: int) -> int:
        """Return the number of other architectures with the same value."""
        return int(np.sum(self.values == self.values[row])) - 1


def rank_space(space_name: str | Space, scorer: Scorer) -> Ranking | None:
    """Score every architecture of a space.

    Returns:
        None if the space cannot be listed, or a network would be run for each architecture.

    Raises:
        SnapError: the space is unknown, or the scorer failed.
    """
    search_space = space(space_name)
    if not search_space.enumerable or any(True for _ in network_scorers(scorer)):
        return None
    graphs = graph_table(search_space, list(search_space.enumerate()))
    return Ranking(graphs, score_graphs(scorer, graphs))


@dataclass(frozen=True)
class MeasuredAccuracy:
    """Measured accuracy of one architecture, and of others to compare with.

    Attributes:
        benchmark: the benchmark that measured it.
        role: the benchmark's role among the splits.
        metric: the metric's name; values are in percent.
        value: accuracy of the architecture.
        rank: 1 + the number of architectures with a higher accuracy.
        architectures: number of architectures measured.
        best: highest accuracy.
        best_arch_id: the architecture with the highest accuracy.
        mean: mean over the space.
        chance_mean: mean over the picks of random search. Each of `chance_seeds` runs draws as many
            cells as the search had evaluations, uniformly with replacement, from the whole space,
            and picks the cell that the same scorer rates highest.
        chance_deviation: sample standard deviation of the same.
        chance_seeds: number of runs, with the seeds 0, 1, ...
    """

    benchmark: str
    role: str
    metric: str
    value: float
    rank: int
    architectures: int
    best: float
    best_arch_id: str
    mean: float
    chance_mean: float
    chance_deviation: float
    chance_seeds: int


def look_up_accuracy(
    space_name: str, arch_id: str, predicted: Ranking | None, draws: int
) -> MeasuredAccuracy:
    """Look up the measured accuracy of an architecture.

    Args:
        space_name: the search space.
        arch_id: the architecture.
        predicted: the whole space, scored by the scorer of the search.
        draws: candidates of each run of random search.

    Raises:
        SnapError: no measurements are known, or the data package is not installed.
    """
    if space_name not in _MEASURED:
        raise SnapError(
            f"no data package holds measurements of {space_name}; to search a table of your own, "
            "use --scorer table:FILE:COLUMN"
        )
    if predicted is None:
        raise SnapError(
            f"{space_name}: not ranked as a whole, as the scorer runs a network for each cell, so "
            "there is no random search to compare with; score a file with snap-evo score"
        )
    name, metric = _MEASURED[space_name]
    source = installed_file(benchmark(name))
    if source is None:
        raise SnapError(f"the data package {name} is not installed; run: pip install {name}")
    table = convert(space_name, source)
    measured = Ranking(table, table[metric].to_numpy())
    facts = benchmark(name).facts(metric)
    assert facts is not None, metric
    row, best = measured.row(arch_id), int(np.argmax(measured.values))
    chance = _chance(measured, predicted, draws)
    return MeasuredAccuracy(
        benchmark=name,
        role=facts.role,
        metric=metric,
        value=float(measured.values[row]),
        rank=measured.rank(row),
        architectures=len(measured),
        best=float(measured.values[best]),
        best_arch_id=measured.arch_id(best),
        mean=float(measured.values.mean()),
        chance_mean=float(np.mean(chance)),
        chance_deviation=float(np.std(chance, ddof=1)),
        chance_seeds=CHANCE_SEEDS,
    )


def _chance(measured: Ranking, predicted: Ranking, draws: int) -> list[float]:
    picks = []
    for seed in range(CHANCE_SEEDS):
        drawn = np.random.default_rng(seed).integers(len(predicted), size=draws)
        pick = int(drawn[np.argmax(predicted.values[drawn])])
        picks.append(float(measured.values[measured.row(predicted.arch_id(pick))]))
    return picks
