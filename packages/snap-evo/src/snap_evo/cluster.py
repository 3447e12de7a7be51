"""The engine `ray`: scores populations, runs searches and measures on a Ray cluster."""

import itertools
import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.extras import require

from snap_evo.engines import EngineOptions
from snap_evo.registry import load_scorer
from snap_evo.scorers import Scorer, Scores, score_graphs

if TYPE_CHECKING:
    from snap_evo.measuring.engines import MeasuringEngine, Order
    from snap_evo.measuring.interfaces import Measurer

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class RayEngine:
    """Works on the cluster that `cluster` joined."""

    options: EngineOptions
    processors: int

    def map(self, function: Callable[[_T], _R], items: Sequence[_T]) -> Generator[_R, None, None]:
        """Call a function in tasks."""
        import ray

        task = ray.remote(function)
        yield from map(_answer, [task.remote(item) for item in items])

    def scorer(self, spec: str) -> Scorer:
        """Make a scorer that shares populations out among one worker per processor."""
        return ClusterScorer(spec, self.processors)

    def measuring(
        self, order: "Order", measurer: "Measurer | None" = None
    ) -> "AbstractContextManager[MeasuringEngine]":
        """Measure in tasks, and end those that are not done."""
        from snap_evo.measuring.engines import RayTasks

        return closing(RayTasks(order, self.options.workers or 1, self.options.gpus))


class ClusterScorer:
    """A scorer that distributes each population over the workers, each with a scorer of its own."""

    def __init__(self, spec: str, workers: int) -> None:
        """Start the workers of a cluster that `cluster` joined."""
        import ray

        worker = ray.remote(_Worker)
        self._workers: list[Any] = [worker.remote(spec) for _ in range(workers)]

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) scores."""
        bounds = np.linspace(0, graphs.num_rows, len(self._workers) + 1).astype(int).tolist()
        parts = [graphs.slice(a, b - a) for a, b in itertools.pairwise(bounds)]
        asked = [
            worker.score.remote(part)
            for worker, part in zip(self._workers, parts, strict=True)
            if part.num_rows
        ]
        return np.concatenate([_answer(one) for one in asked])


@contextmanager
def cluster() -> Iterator[int]:
    """Join the Ray cluster that is running, or start one on this machine.

    Yields:
        The number of its processors.

    Raises:
        SnapError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Under `uv run`, Ray would have every worker install this environment again.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    require("snap-evo[ray]", "ray")
    import ray

    mine = not ray.is_initialized()
    ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR)
    try:
        resources: Callable[[], dict[str, float]] = ray.cluster_resources
        yield int(resources()["CPU"])
    finally:
        if mine:
            ray.shutdown()


class _Worker:
    def __init__(self, spec: str) -> None:
        self._scorer = load_scorer(spec)

    def score(self, graphs: pa.Table) -> Scores:
        return score_graphs(self._scorer, graphs)


def _answer(asked: Any) -> Any:
    """Wait for a worker, and hand its expected failures on in one line."""
    import ray

    try:
        return ray.get(asked)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, SnapError):
            raise SnapError(str(error.cause)) from None
        raise
