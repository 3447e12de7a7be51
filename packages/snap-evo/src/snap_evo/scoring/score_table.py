"""Score every architecture of a table by several scorers, and resume an earlier run."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
from snap_catalog import SnapError

from snap_evo.scorers import Measured, NetworkScorer, Scorer, score_graphs
from snap_evo.scoring.job import Job
from snap_evo.scoring.partial_scores import Kept, Part
from snap_evo.scoring.table import Scored, as_table, together, whole
from snap_evo.scoring.tasks import Task, measure, part

if TYPE_CHECKING:
    from snap_evo.scoring.networks import Network

Share = Callable[[Callable[[Task], Part], Sequence[Task]], Iterator[Part]]
"""Yields the results of tasks in their order, as `Engine.map`."""
Advance = Callable[[int, str], object]


def score(job: Job, kept: Kept, share: Share, advance: Advance) -> pa.Table:
    """Score all architectures.

    Args:
        job: the architectures and scorers.
        kept: the parts that are done; grows.
        share: runs networks, each independently of the others.
        advance: called with the number of new scores, and the scorer.

    Returns:
        Rows of the `scores` contract, scorer by scorer.

    Raises:
        SnapError: a scorer fails, or no network could be scored; finished parts are kept.
    """
    found: dict[str, Scored] = {}
    for spec, scorer in job.scorers.items():
        done = kept.of(spec)
        advance(sum(part.count for part in done.values()), spec)
        if isinstance(scorer, NetworkScorer):
            for part in _by_network(job, spec, scorer, set(done), share):
                kept.add(part)
                advance(1, spec)
            _check_any(kept, spec)
            with _readable(kept, spec):
                found |= together(spec, scorer, kept.of(spec), job.graphs["space"].to_pylist())
        else:
            if not done:
                kept.add(_at_once(job.graphs, spec, scorer))
                advance(job.graphs.num_rows, spec)
            with _readable(kept, spec):
                found[spec] = whole(spec, kept.of(spec)[0], job.graphs.num_rows)
    return as_table(job, found)


def _check_any(kept: Kept, spec: str) -> None:
    """Raise an error if all networks were left out."""
    parts = kept.of(spec).values()
    if not any(each.scores for each in parts):
        note = next(each.note for each in parts)
        raise SnapError(f"{spec}: no network could be scored: {note}")


@contextmanager
def _readable(kept: Kept, spec: str) -> Iterator[None]:
    """Report kept parts that are not scores of this scorer, as after an edit by hand."""
    try:
        yield
    except (LookupError, ValueError) as error:
        raise SnapError(
            f"{kept.path}: holds other scores than those of {spec}; remove it to score again"
        ) from error


def _at_once(graphs: pa.Table, spec: str, scorer: Scorer) -> Part:
    """Score a table by a scorer that takes it as a whole."""
    began = time.perf_counter()
    scores = score_graphs(scorer, graphs).tolist()
    seconds = time.perf_counter() - began
    return Part(scorer=spec, row=0, scores={spec: scores}, seconds={spec: seconds})


def _by_network(
    job: Job, spec: str, scorer: NetworkScorer, done: set[int], share: Share
) -> Iterator[Part]:
    """Yield the scores of networks that are not scored yet."""
    rows = [row for row in range(job.graphs.num_rows) if row not in done]
    if job.source is None:
        # A slice would be sent to other processes with all of the table.
        graphs = [job.graphs.take([row]) for row in rows]
        tasks = [
            Task(spec, row, graph, job.allow_code, job.skip_bad)
            for row, graph in zip(rows, graphs, strict=True)
        ]
        yield from share(measure, tasks)
        return
    from snap_evo.scoring.networks import sourced

    names = job.graphs["arch_id"].to_pylist()
    for row, network in sourced(job.source, {names[row]: row for row in rows}):
        run = partial(_of_source, job.source, names[row], scorer, network)
        yield part(scorer, spec, row, run, skip_bad=job.skip_bad)


def _of_source(source: str, name: str, scorer: NetworkScorer, network: "Network") -> Measured:
    try:
        return scorer.measure_network(network.module, network.side)
    except SnapError as error:
        raise SnapError(f"{source}: cannot score {name!r:.80}: {error}") from error
