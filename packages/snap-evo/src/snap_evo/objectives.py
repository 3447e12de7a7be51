"""The objectives of a search, and its limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.metrics import fitting_metrics, oriented
from snap_catalog.parquet import column_names

from snap_evo.scorers import TableScorer, cost

Floats = npt.NDArray[np.float64]

SCORE = "score"
COSTS = ("params", "flops", "activations", "depth")


@dataclass(frozen=True)
class Objective:
    """A quantity to optimise.

    Attributes:
        name: the name that the user gave, which its column in the history has.
        direction: whether a higher (`max`) or lower (`min`) value is better.
        values: takes n rows of the `graphs` contract and returns (n,) values; None for the score.
    """

    name: str
    direction: Direction
    values: Callable[[pa.Table], Floats] | None

    def oriented(self, values: Floats) -> Floats:
        """Turn values so that higher is better."""
        return oriented(values, self.direction)


@dataclass(frozen=True)
class Limit:
    """The lowest and highest value allowed of a cost.

    Attributes:
        column: `params`, `flops`, `activations` or `depth`, or the name of a metric.
        most: the highest value allowed.
        least: the lowest value allowed.
        look_up: takes n rows of the `graphs` contract and returns (n,) values; None to take them
            from the column.
    """

    column: str
    most: float = np.inf
    least: float = 0.0
    look_up: Callable[[pa.Table], Floats] | None = None

    def __str__(self) -> str:
        low = f"{_written(self.least)} <= " if self.least else ""
        high = f" <= {_written(self.most)}" if self.most < np.inf else ""
        return f"{low}{self.column}{high}"

    def values(self, graphs: pa.Table) -> Floats:
        """Return (n,) values of n rows of the `graphs` contract.

        Raises:
            SnapError: they are unknown.
        """
        return cost(graphs, self.column) if self.look_up is None else self.look_up(graphs)

    def excess(self, values: Floats) -> Floats:
        """Return (n,) by what share of the bound values are beyond it, 0 within."""
        above = values / self.most - 1
        below = 1 - values / self.least if self.least else np.zeros(len(values))
        return np.maximum(np.maximum(above, below), 0.0)


def excess(graphs: pa.Table, limits: Sequence[Limit]) -> Floats:
    """Return (n,) by what share rows of the `graphs` contract are beyond limits, 0 within.

    Raises:
        SnapError: a limited cost is unknown.
    """
    total = np.zeros(graphs.num_rows)
    for limit in limits:
        total += limit.excess(limit.values(graphs))
    return total


def _written(bound: float) -> str:
    """Write a bound exactly."""
    return f"{bound:,.0f}" if float(bound).is_integer() else f"{bound:,}"


ONE_OBJECTIVE = (Objective(SCORE, "max", None),)


def parse_objectives(text: str, table: str | None = None) -> tuple[Objective, ...]:
    """Read objectives, as in `score,params,latency:edgegpu`.

    Args:
        text: names separated by commas: `score`, which is maximised; `params`, `flops`,
            `activations` and `depth`, which are minimised; or metrics of the table, which gives
            their direction. `latency:edgegpu` stands for `edgegpu/latency`, a shortening of
            `hw/edgegpu/latency_ms`.
        table: a `graphs.parquet` file.

    Raises:
        SnapError: the score is not among them, or one is named twice or unknown.
    """
    names = text.split(",")
    if SCORE not in names or len(set(names)) < len(names):
        raise SnapError(
            f"the objectives {text!r} do not name {SCORE!r} and every other once; "
            "write them as score,params,flops"
        )
    return tuple(_objective(name, table) for name in names)


def _objective(name: str, table: str | None) -> Objective:
    if name == SCORE:
        return ONE_OBJECTIVE[0]
    if name in COSTS:
        return Objective(name, "min", lambda graphs: cost(graphs, name))
    if table is None:
        raise SnapError(
            f"the objective {name!r} is none of {', '.join((SCORE, *COSTS))}; "
            "name a graphs.parquet that has it with --table"
        )
    column = TableScorer(table, _metric(name))
    return Objective(name, column.direction, partial(_in_table, column))


def parse_maxima(text: str | None, table: str | None) -> tuple[list[Limit], dict[str, float]]:
    """Read highest values, as in `depth=10,latency:edgegpu=4.0`.

    Args:
        text: names with values, separated by commas. Names are costs, or metrics of the
            table as in `parse_objectives`.
        table: a `graphs.parquet` file.

    Returns:
        The limits on costs and on metrics of the table, and the highest values of all other names.

    Raises:
        SnapError: an entry is not NAME=VALUE, the table cannot be read, or a name fits several of
            its metrics.
    """
    limits: list[Limit] = []
    others: dict[str, float] = {}
    for entry in text.split(",") if text else ():
        name, most = _maximum(entry)
        metric = _metric(name)
        if name in COSTS:
            limits.append(Limit(name, most))
        elif table is not None and is_metric_of(name, table):
            column = TableScorer(table, metric)
            limits.append(Limit(name, most, look_up=partial(_in_table, column)))
        else:
            others[name] = most
    return limits, others


def is_metric_of(name: str, table: str | None) -> bool:
    """Return whether a name, as in `parse_objectives`, is that of a metric of a table.

    Raises:
        SnapError: the table cannot be read.
    """
    return table is not None and bool(fitting_metrics(_metric(name), column_names(table)))


def _metric(name: str) -> str:
    """Return the shortening of a metric that `latency:edgegpu` stands for, `edgegpu/latency`."""
    return "/".join(reversed(name.split(":")))


def _maximum(entry: str) -> tuple[str, float]:
    name, _, number = entry.rpartition("=")
    try:
        most = float(number)
    except ValueError:
        most = np.nan
    if not name or not 0 < most < np.inf:
        raise SnapError(f"{entry!r:.80} is no limit; write it as NAME=VALUE, with a value above 0")
    return name, most


def _in_table(column: TableScorer, graphs: pa.Table) -> Floats:
    return oriented(column.score(graphs), column.direction)


def front(values: Floats) -> npt.NDArray[np.int64]:
    """Return the rows of the Pareto front, which no other row dominates.

    Args:
        values: (n, objectives), higher is better. The first of equal rows is taken.

    Returns:
        Row numbers, ascending.
    """
    kept: list[int] = []
    for row in np.lexsort((np.arange(len(values)), *(-values.T[::-1]))).tolist():
        if not (values[kept] >= values[row]).all(axis=1).any():
            kept.append(row)
    return np.array(sorted(kept), np.int64)
