"""Whether one scorer is better than another, on the same cells."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from snap_catalog import SnapError

from snap_eval.arrays import Floats
from snap_eval.correlations import Contender, Figure, Judge, contend, measured_sign
from snap_eval.measured import Target
from snap_eval.resampling import interval
from snap_eval.scorers import Scorer
from snap_eval.statistics import chosen


class Difference(NamedTuple):
    """How two scorers differ in a statistic.

    Attributes:
        statistic: its name.
        first: that of the first scorer, or its mean over the seeds.
        second: that of the second.
        difference: the first less the second.
        low: lower end of the 95 % interval of the difference; NaN if there is none.
        high: its upper end.
        better: the name of the better one, `no difference` where the interval holds 0, `unknown`
            if there is no interval: a statistic is undefined, or nothing was resampled.
    """

    statistic: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    better: str


class Comparison(NamedTuple):
    """Two scorers on the n cells that both score.

    Attributes:
        names: what they are called.
        seeds: how many models each has.
        n: cells compared.
        differences: one per statistic.
    """

    names: tuple[str, str]
    seeds: tuple[int, int]
    n: int
    differences: list[Difference]


NO_DIFFERENCE = "no difference"
UNKNOWN = "unknown"


def compare(
    first: Sequence[Scorer],
    second: Sequence[Scorer],
    target: Target,
    *,
    population: str = "all",
    statistics: Collection[str] = (),
    bootstrap: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare two scorers on the same cells, by a paired bootstrap.

    Args:
        first: the models of one scorer, one per seed.
        second: those of the other. Scorers with equally many seeds are resampled together.
        target: the metric of a benchmark that they are to predict.
        population: one of `snap_eval.relations.POPULATIONS`.
        statistics: names of `snap_eval.statistics`; all if empty.
        bootstrap: resamples of the cells.
        seed: of the resamples.

    Raises:
        SnapError: models of one side have several names; or one has no score of a measured
            cell, or they have none in common.
    """
    one, other = (_contender(models, target) for models in (first, second))
    oriented = target.measured.oriented(target.metric)
    target.measured.require(population)
    both = ~(np.isnan(oriented) | np.isnan(one.scores[0]) | np.isnan(other.scores[0]))
    (cells,) = np.nonzero(target.measured.populations(both)[population])
    if not cells.size:
        raise SnapError(
            f"{first[0].source} and {second[0].source} score no cell of {target.measured.source} "
            f"({population}) in common; compare scorers of the same cells"
        )
    names = _names(one.name, other.name, first[0].source, second[0].source)
    judge = Judge(chosen(statistics), "paired", bootstrap, seed)
    sign = measured_sign(target)
    figures = (judge.figures(contender, oriented, cells) for contender in (one, other))
    differences = [_difference(a, b, sign, names) for a, b in zip(*figures, strict=True)]
    return Comparison(names, (len(one.scores), len(other.scores)), cells.size, differences)


def _contender(models: Sequence[Scorer], target: Target) -> Contender:
    names = dict.fromkeys(model.name for model in models)
    if len(names) > 1:
        raise SnapError(
            f"several scorers ({', '.join(names)}) where one is to be compared; name one, as "
            f"{models[0].source}"
        )
    found = next(contend({models[0].name: list(models)}, target), None)
    if found is None:
        raise SnapError(
            f"{models[0].source}: has no score of a cell of {target.measured.source} with a value "
            f"of {target.metric}"
        )
    return found


def _names(first: str, second: str, first_source: str, second_source: str) -> tuple[str, str]:
    return (first, second) if first != second else (first_source, second_source)


def _difference(first: Figure, second: Figure, sign: int, names: tuple[str, str]) -> Difference:
    """Return how two figures differ; `sign` is that of figures in the unit of the metric."""
    statistic = first.statistic
    sign = sign if statistic.direction == "metric" else 1
    one, other = (float(sign * figure.values.mean()) for figure in (first, second))
    low, high = (float(end) for end in interval(_less(first.draws, second.draws, sign)))
    less_is_better = sign < 0 or statistic.direction == "min"
    better = NO_DIFFERENCE if low <= 0 <= high else UNKNOWN
    if low > 0 or high < 0:
        better = names[(low > 0) == less_is_better]
    return Difference(statistic.name, one, other, one - other, low, high, better)


def _less(first: Floats, second: Floats, sign: int) -> Floats:
    return sign * (first - second) if first.size == second.size else np.empty(0)
