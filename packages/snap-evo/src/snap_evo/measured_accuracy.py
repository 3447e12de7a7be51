"""Measured accuracy of the cell found, of the whole space, and of random search.

No search uses these numbers: the benchmarks have the role `test` and are only reported.
"""

from dataclasses import dataclass

import numpy as np
from snap_catalog import SnapError, benchmark
from snap_graphs.convert import convert
from snap_graphs.sources import installed_file

from snap_evo.ranking import Ranking

CHANCE_SEEDS = 20
_MEASURED = {"nb201": ("analog-nasbench", "cifar10/test/baseline_accuracy")}


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
