"""What a search is after besides the score, and the limits it keeps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction

from snap_evo.scorers import TableScorer, cost

Floats = npt.NDArray[np.float64]

SCORE = "score"
_COSTS = ("params", "flops", "activations", "depth")


@dataclass(frozen=True)
class Objective:
    """One thing to optimise.

    Attributes:
        name: as the user wrote it; the name of its column in the history.
        direction: whether more or less is better.
        values: takes n rows of the `graphs` contract and returns (n,) values; None for the score.
    """

    name: str
    direction: Direction
    values: Callable[[pa.Table], Floats] | None

    def upwards(self, values: Floats) -> Floats:
        """Turn values so that higher is better."""
        return values if self.direction == "max" else -values


@dataclass(frozen=True)
class Limit:
    """What a cell may cost.

    Attributes:
        column: `params`, `flops` or `activations`.
        most: the highest value allowed.
        least: the lowest value allowed.
    """

    column: str
    most: float = np.inf
    least: float = 0.0

    def __str__(self) -> str:
        low = f"{self.least:,.0f} <= " if self.least else ""
        high = f" <= {self.most:,.0f}" if self.most < np.inf else ""
        return f"{low}{self.column}{high}"

    def excess(self, values: Floats) -> Floats:
        """Return (n,) by what share of the bound costs are beyond it, 0 within."""
        above = values / self.most - 1
        below = 1 - values / self.least if self.least else np.zeros(len(values))
        return np.maximum(np.maximum(above, below), 0.0)


ONE_OBJECTIVE = (Objective(SCORE, "max", None),)


def parse_objectives(text: str, table: str | None = None) -> tuple[Objective, ...]:
    """Read objectives, as in `score,params,latency:edgegpu`.

    Args:
        text: names with commas between them: `score`, of which more is better; `params`, `flops`,
            `activations` and `depth`, of which less is; any other is a metric of the table, with
            the table's direction. `latency:edgegpu` stands for `edgegpu/latency`, a shortening of
            `hw/edgegpu/latency_ms`.
        table: a `graphs.parquet` file.

    Raises:
        SnapError: the score is not among them, one is named twice or known nowhere.
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
    if name in _COSTS:
        return Objective(name, "min", lambda graphs: cost(graphs, name))
    if table is None:
        raise SnapError(
            f"the objective {name!r} is none of {', '.join((SCORE, *_COSTS))}; "
            "name a graphs.parquet that has it with --table"
        )
    column = TableScorer(table, "/".join(reversed(name.split(":"))))
    return Objective(
        name, column.direction, lambda graphs: _turned(column.score(graphs), column.direction)
    )


def _turned(scores: Floats, direction: Direction) -> Floats:
    return scores if direction == "max" else -scores


def front(values: Floats) -> npt.NDArray[np.int64]:
    """Return the rows of the Pareto front: those that no other row beats.

    Args:
        values: (n, objectives), higher is better. Of equal rows the first is taken.

    Returns:
        Row numbers, ascending.
    """
    kept: list[int] = []
    for row in np.lexsort((np.arange(len(values)), *(-values.T[::-1]))).tolist():
        if not (values[kept] >= values[row]).all(axis=1).any():
            kept.append(row)
    return np.array(sorted(kept), np.int64)
