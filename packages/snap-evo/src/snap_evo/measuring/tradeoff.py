"""The trade-off between a measured metric and costs."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.metrics import oriented

from snap_evo.measuring.session import Progress, Result, Session
from snap_evo.objectives import (
    COSTS,
    SCORE,
    Objective,
    is_metric_of,
    parse_objectives,
)
from snap_evo.objectives import front as pareto_front


class Tradeoff(NamedTuple):
    """Measured architectures by objective.

    Attributes:
        names: the objectives otherss the metric.
        measured: one row per measurement within the limits whose objectives are all known, with a
            column for the metric and for every other objective.
        front: the rows that no other row dominates.
    """

    names: list[str]
    measured: pa.Table
    front: pa.Table


def tradeoff(session: Session, progress: Progress, objective: str) -> Tradeoff:
    """Compare the measurements of a session by several objectives.

    Args:
        session: the session.
        progress: its measurements.
        objective: names with commas between, as in `score,params,latency_ms`: `score` stands for
            the metric, the others for costs, metrics of the table, and costs measured with it.

    Raises:
        SnapError: the metric is not among the objectives, or one is named twice.
    """
    setup, names = session.setup, objective.split(",")
    known_names = [n for n in names if n in (SCORE, *COSTS) or is_metric_of(n, setup.table)]
    others = [n for n in names if n not in known_names]
    if len(set(names)) < len(names):
        raise SnapError(f"the objectives {objective!r} name one twice; drop it")
    known = parse_objectives(",".join(known_names), setup.table)
    results = [r for r in progress.results if r.within and all(n in r.costs for n in others)]
    graphs = session.graphs([result.entry.arch_id for result in results])
    measured = graphs.select(["space", "arch_id", "cell_hash"])
    columns = {setup.metric: _values(results)}
    directions = {setup.metric: setup.direction}
    for found in (*known, *(Objective(name, "min", None) for name in others)):
        if found.name == SCORE:
            continue
        directions[found.name] = found.direction
        columns[found.name] = (
            found.values(graphs)
            if found.values
            else np.array([r.costs[found.name] for r in results], np.float64)
        )
    for name, values in columns.items():
        measured = measured.append_column(name, pa.array(values, pa.float64()))
    turned = [oriented(values, directions[name]) for name, values in columns.items()]
    rows = pareto_front(np.column_stack(turned))
    return Tradeoff([*columns][1:], measured, measured.take(rows))


def _values(results: list[Result]) -> np.ndarray:
    return np.array([result.entry.value for result in results], np.float64)
