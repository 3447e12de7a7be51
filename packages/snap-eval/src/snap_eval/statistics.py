"""The statistics that scorers are judged by."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points
from typing import Literal

from snap_catalog import SnapError

from snap_eval import correlation, picks, resampling
from snap_eval.arrays import Floats, Ints
from snap_eval.resampling import Draw

Direction = Literal["max", "min", "metric"]
_DIRECTIONS: tuple[Direction, ...] = ("max", "metric", "min")
_RANDOM = "expectation over a random choice"
_TOP_TIES = "average ranks; the top holds all tied with its last"


@dataclass(frozen=True)
class Statistic:
    """A figure that scores are judged by.

    Attributes:
        name: its name in `correlations.parquet`.
        compute: of (n,) scores and (n,) measurements, higher is better in both, computes the
            figure; NaN if it is undefined. n is 1 or more.
        ties: how it treats ties, in a few words.
        direction: whether a higher (`max`) or a lower (`min`) figure is better; `metric` for a
            figure in the unit of the metric, which has the metric's direction.
        error: of value, scores and measurements, the standard error of Fisher's z of a
            correlation, if there is a closed form.
        draw: the bootstrap, if there is a faster way than to compute the figure of every resample.
        is_linear: whether `draw` is of first order in the counts, for which it needs many cells.
        within: of measurements, the cells that the figure is about; all if None.
        sql: the figure in SQL, of the columns `score`, `measured` and their ranks `score_rank` and
            `measured_rank`, for more cells than fit into memory.
        size_error: of the value and the number of cells, what `error` is for these.
    """

    name: str
    compute: Callable[[Floats, Floats], float]
    ties: str
    direction: Direction = "max"
    error: Callable[[float, Floats, Floats], float] | None = None
    draw: Draw | None = None
    is_linear: bool = False
    within: Callable[[Floats], Ints] | None = None
    sql: str | None = None
    size_error: Callable[[float, int], float] | None = None

    def bootstrap(self, n: int) -> tuple[Draw, str]:
        """Return the bootstrap of n cells, and its name in `correlations.parquet`."""
        if self.draw is None or (self.is_linear and n <= resampling.FEW):
            return resampling.plain(self.compute), "bootstrap"
        return self.draw, "linear bootstrap" if self.is_linear else "bootstrap"


def _top(percent: int) -> Statistic:
    """Return Spearman's rho within a percentage of the cells, the best by measurement."""
    return Statistic(
        f"spearman@top{percent}%",
        correlation.spearman,
        _TOP_TIES,
        error=resampling.spearman_error,
        draw=resampling.draw_spearman,
        is_linear=True,
        within=partial(picks.within_top, percent=percent),
    )


def _pick(which: int, k: int) -> Statistic:
    """Return one of `picks.PICKS` of the k cells with the highest scores."""
    figure, direction = picks.PICKS[which], _DIRECTIONS[which]
    name = f"{figure.__name__.removesuffix('_at')}@{k}"
    draw = picks.draw_picks(which, k)
    return Statistic(name, partial(figure, k=k), _RANDOM, direction, draw=draw)


# To add a statistic, write a function f(score, measured) -> float and add a line with its name,
# the function and its treatment of ties, and `direction="min"` if lower is better. Its interval is
# then a plain bootstrap. The report shows those in `_STATISTICS` of `report/sections/overview.py`.
STATISTICS = (
    Statistic(
        "pearson",
        correlation.pearson,
        "values",
        draw=resampling.draw_pearson,
        sql="corr(score, measured)",
    ),
    Statistic(
        "spearman",
        correlation.spearman,
        "average ranks",
        error=resampling.spearman_error,
        draw=resampling.draw_spearman,
        is_linear=True,
        sql="corr(score_rank, measured_rank)",
        size_error=resampling.bonett_wright,
    ),
    Statistic(
        "kendall_tau_b",
        correlation.kendall_tau_b,
        "tau-b",
        error=resampling.kendall_error,
        draw=resampling.draw_kendall,
        is_linear=True,
    ),
    Statistic(
        "weighted_tau",
        correlation.weighted_tau,
        "tau-b, ranked by the other",
        draw=resampling.draw_weighted_tau,
        is_linear=True,
    ),
    *map(_top, (1, 5, 10, 50)),
    *(_pick(which, k) for k in (1, 10, 100) for which in range(len(picks.PICKS))),
)

DEFAULT = ("spearman", "kendall_tau_b", "spearman@top10%", "best@10", "regret@10")
"""What the command line reports if no statistic is given."""


@cache
def known() -> dict[str, Statistic]:
    """Return all statistics by name: those of this package, then those of other packages.

    Other packages name theirs, each a `Statistic`, as entry points of the group `snap.statistics`.

    Raises:
        SnapError: an entry point cannot be loaded, is no `Statistic`, or has a name that is taken.
    """
    found = {statistic.name: statistic for statistic in STATISTICS}
    for entry in sorted(entry_points(group="snap.statistics"), key=lambda entry: entry.name):
        try:
            statistic = entry.load()
        except Exception as error:
            raise SnapError(
                f"{entry.value}: cannot be loaded ({error}); fix or remove it"
            ) from error
        if not isinstance(statistic, Statistic):
            raise SnapError(f"{entry.value}: is no snap_eval.Statistic; make it one")
        if statistic.name in found:
            raise SnapError(f"{entry.value}: the name {statistic.name!r} is taken; choose another")
        found[statistic.name] = statistic
    return found


def names() -> list[str]:
    """Return the names of the statistics."""
    return list(known())


def chosen(wanted: Collection[str] = ()) -> list[Statistic]:
    """Return the statistics with the wanted names; all if no name is given."""
    return [one for name, one in known().items() if not wanted or name in wanted]
