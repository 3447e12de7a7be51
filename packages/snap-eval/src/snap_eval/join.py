"""Match scores with what was measured of the same cells."""

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError

from snap_eval.ranks import Floats

_CELL = ["space", "arch_id", "nodes", "cell_hash", "n_dead"]

_MATCHED = """
CREATE TEMP VIEW matched AS
SELECT space, arch_id, cell_hash, score, nullif(measured, 'NaN'::DOUBLE) AS measured,
    n_dead = len(list_filter(nodes, lambda op: op = 'none')) AS reachable
FROM scores JOIN graphs USING (space, arch_id)
"""

_PAIRS = """
SELECT space, score, measured, reachable AND row_number() OVER (
    PARTITION BY space, cell_hash, reachable ORDER BY arch_id
) = 1 AS unique_reachable
FROM matched WHERE measured IS NOT NULL ORDER BY space, arch_id
"""


@dataclass(frozen=True)
class Sources:
    """What errors and messages call the two tables: usually their files."""

    scores: str
    graphs: str


TABLES = Sources("scores", "graphs")
"""For tables that come from no file."""


@dataclass(frozen=True)
class Pairs:
    """The n cells that have both a score and a measurement, by space and architecture.

    Attributes:
        spaces: their search spaces.
        score: (n,) higher is better.
        measured: (n,) the metric, as the benchmark gives it.
        unique_reachable: (n,) whether every operator but `none` lies on a path from input to
            output, and the cell is the first such of its class (`cell_hash`) in its space, by
            `arch_id`.
        scores_without_graph: rows of the scores that matched no graph.
        graphs_without_score: rows of the graphs that matched no score.
        cells_without_metric: matched rows left out because the metric is null or NaN.
    """

    spaces: tuple[str, ...]
    score: Floats
    measured: Floats
    unique_reachable: npt.NDArray[np.bool_]
    scores_without_graph: int
    graphs_without_score: int
    cells_without_metric: int


def join(scores: pa.Table, graphs: pa.Table, metric: str, sources: Sources) -> Pairs:
    """Join two tables on `space` and `arch_id`.

    Args:
        scores: a table of the `scores` contract.
        graphs: a table of the `graphs` contract.
        metric: the metric column of `graphs`.
        sources: what to call the tables in an error.

    Raises:
        SnapError: no cell has both a score and a value of the metric.
    """
    measured = graphs.select([*_CELL, metric]).rename_columns([*_CELL, "measured"])
    matched, table = _query(scores, measured)
    if not table.num_rows:
        raise SnapError(_nothing(matched, metric, sources))
    return Pairs(
        spaces=tuple(table["space"].unique().to_pylist()),
        score=table["score"].to_numpy(),
        measured=table["measured"].to_numpy(),
        unique_reachable=table["unique_reachable"].to_numpy(),
        scores_without_graph=scores.num_rows - matched,
        graphs_without_score=graphs.num_rows - matched,
        cells_without_metric=matched - table.num_rows,
    )


def _query(scores: pa.Table, graphs: pa.Table) -> tuple[int, pa.Table]:
    """Return the number of matched rows, and those with a measurement."""
    with duckdb.connect(config={"enable_external_access": False}) as connection:
        connection.register("scores", scores)
        connection.register("graphs", graphs)
        connection.execute(_MATCHED)
        matched = len(connection.table("matched"))
        return matched, connection.sql(_PAIRS).to_arrow_table()


def _nothing(matched: int, metric: str, sources: Sources) -> str:
    if matched:
        return (
            f"{sources.graphs}: none of its {matched:,} cells that {sources.scores} scores has a "
            f"value of {metric}; choose another --metric"
        )
    return (
        f"{sources.scores} and {sources.graphs} have no cell (space, arch_id) in common; "
        "score the cells of that graphs file"
    )
