"""Score the graphs of a file a part at a time, so that memory does not grow with the file."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.console import Advance
from snap_catalog.parquet import column_names
from snap_catalog.streams import Part, Stream, writing

from snap_gcn.data.views import COLUMNS
from snap_gcn.model import prior
from snap_gcn.predictor import ROWS, Predictor
from snap_gcn.threads import in_order

Engine = Literal["local", "ray"]

_RAY = {
    # Under `uv run` every worker would set up an environment of its own.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
"""Settings that Ray reads as it is imported."""


def predict_file(
    predictor: Predictor, graphs: str, out: str, advance: Advance, engine: Engine = "local"
) -> None:
    """Score a file of the `graphs` contract into one of the `scores` contract.

    Args:
        predictor: scores them.
        graphs: the file to read.
        out: the file to write, atomically; rows in the same order.
        advance: called with the number of architectures just scored.
        engine: threads of this process, or the workers of a Ray cluster.

    Raises:
        SnapError: a file cannot be read or written, or an operator has no vector.
    """
    stream = Stream(graphs, "graphs", present(graphs))
    scored = _by_ray if engine == "ray" else _by_threads
    with writing(out, "scores", predictor.schema, producer="snap-gcn") as append:
        for table in predictor.settled(scored(predictor, stream, graphs)):
            append(table)
            advance(table.num_rows)


def present(graphs: str) -> list[str]:
    """Return the columns that a predictor reads of a file of the `graphs` contract."""
    sizes = set(column_names(graphs))
    return [*COLUMNS, *(name for name in prior.COLUMNS if name in sizes)]


def _by_threads(predictor: Predictor, stream: Stream, source: str) -> Iterator[pa.Table]:
    def scored(part: Part) -> pa.Table:
        stream.check(part)
        return predictor.score_part(part.table, source)

    return in_order(scored, stream.parts(ROWS), predictor.workers)


def _by_ray(predictor: Predictor, stream: Stream, source: str) -> Iterator[pa.Table]:
    """Check the file here, and score it on the workers of a Ray cluster.

    Raises:
        SnapError: Ray is not installed, or a worker meets an operator without a vector.
    """
    for name, value in _RAY.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise SnapError(
            "--engine ray: run: pip install 'snap-gcn[ray]', or leave it out"
        ) from error
    for part in stream.parts(ROWS):
        stream.check(part)
    with _cluster() as cores:
        scored = ray.data.read_parquet(source, columns=present(source)).map_batches(
            _Worker,
            fn_constructor_args=(predictor, source),
            batch_size=ROWS,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=cores),
        )
        try:
            yield from scored.iter_batches(batch_size=None, batch_format="pyarrow")
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, SnapError):
                raise error.cause from None
            raise


@contextmanager
def _cluster() -> Iterator[int]:
    """Join the cluster that is running, or start one on this machine; yield its cores."""
    import ray

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    mine = not ray.is_initialized()
    ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    try:
        yield int(ray.cluster_resources()["CPU"])  # type: ignore[no-untyped-call]
    finally:
        if mine:
            ray.shutdown()


class _Worker:
    """What each Ray worker holds."""

    def __init__(self, predictor: Predictor, source: str) -> None:
        self._predictor, self._source = predictor, source

    def __call__(self, table: pa.Table) -> pa.Table:
        return self._predictor.score_part(table, self._source)
