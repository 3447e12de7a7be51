"""Score one network at a time, in any process."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pyarrow as pa
from snap_catalog import SnapError
from snap_graphs import Space
from snap_graphs.table import table_space

from snap_evo.registry import load_scorer
from snap_evo.scorers import Measured, NetworkScorer, plugin_errors
from snap_evo.scoring.partial_scores import Part


class Task(NamedTuple):
    """One network to score.

    Attributes:
        scorer: its spec.
        row: of the table.
        graph: that row alone, with the table's metadata.
        allow_code: whether code that its search space names may be imported.
        skip_bad: whether to note a failure in the part rather than raise it.
    """

    scorer: str
    row: int
    graph: pa.Table
    allow_code: bool
    skip_bad: bool


def measure(task: Task) -> Part:
    """Score one network, built from its row."""
    scorer = _loaded(task.scorer)
    arch_id = task.graph["arch_id"][0].as_py()

    def run() -> Measured:
        return scorer.measure(_space(task), arch_id)

    return part(scorer, task.scorer, task.row, run, skip_bad=task.skip_bad)


def part(
    scorer: NetworkScorer, spec: str, row: int, run: Callable[[], Measured], *, skip_bad: bool
) -> Part:
    """Run a network, and return its scores, or why there are none.

    Raises:
        SnapError: the network fails.
    """
    try:
        with plugin_errors(scorer):
            found = run()
    except SnapError as error:
        if not skip_bad:
            raise
        return Part(scorer=spec, row=row, scores={}, seconds={}, note=str(error))
    scores = {name: [value] for name, value in found.values.items()}
    return Part(scorer=spec, row=row, scores=scores, seconds=found.seconds)


def _space(task: Task) -> Space:
    try:
        return table_space(task.graph, allow_code=task.allow_code)
    except SnapError as error:
        raise SnapError(
            f"{error}; score networks that snap-graphs trace wrote to the file with --source"
        ) from error


@cache
def _loaded(spec: str) -> NetworkScorer:
    """Make a scorer once per process."""
    scorer = load_scorer(spec)
    assert isinstance(scorer, NetworkScorer)
    return scorer
