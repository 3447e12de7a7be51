"""Score every architecture of a table by several scorers, and go on where an earlier run ended."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_graphs import Space
from snap_graphs.table import table_space

from snap_evo.registry import load_scorer
from snap_evo.scorers import Measured, NetworkScorer, Scorer, score_graphs, told_of
from snap_evo.scoring.kept import Kept, Part

if TYPE_CHECKING:
    from snap_evo.scoring.networks import Network

Share = Callable[[Callable[["Task"], Part], Sequence["Task"]], Iterator[Part]]
"""Carries tasks out, in their order, wherever that is done."""
Advance = Callable[[int, str], object]


class Task(NamedTuple):
    """One network to score.

    Attributes:
        scorer: as the user wrote it.
        row: of the table.
        graph: that row alone, with the table's metadata.
        allow_code: whether code that its search space names may be imported.
    """

    scorer: str
    row: int
    graph: pa.Table
    allow_code: bool


@dataclass(frozen=True)
class Job:
    """What is to be scored.

    Attributes:
        graphs: n rows of the `graphs` contract.
        specs: the scorers as the user wrote them.
        allow_code: whether code that a search space of the user's names may be imported.
        source: `file.py:function`, whose networks the table's rows are; None where they are built.
    """

    graphs: pa.Table
    specs: tuple[str, ...]
    allow_code: bool = False
    source: str | None = None

    @cached_property
    def scorers(self) -> dict[str, Scorer]:
        """The scorers by what the user wrote.

        Raises:
            SnapError: there is none such, or two would give scores of one name.
        """
        found = {spec: load_scorer(spec) for spec in self.specs}
        names = [name for spec, scorer in found.items() for name in score_names(spec, scorer)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise SnapError(f"two scorers give scores called {twice}; ask for one at a time")
        return found

    @property
    def count(self) -> int:
        """Number of scorers times architectures."""
        return len(self.specs) * len(self.graphs)

    @property
    def question(self) -> str:
        """A hash of what is asked: which scores, of which architectures."""
        cells = self.graphs.select(["space", "arch_id", "cell_hash"]).to_pylist()
        asked = [self.specs, self.source, self._code, self.images, cells]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    @property
    def _code(self) -> str | None:
        """The SHA-256 of the source's file, where it is one."""
        path = Path((self.source or "").rpartition(":")[0])
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

    @property
    def images(self) -> dict[str, str]:
        """Which images networks are shown, by scorer."""
        found = self.scorers.items()
        return {spec: each.images for spec, each in found if isinstance(each, NetworkScorer)}


def score_names(spec: str, scorer: Scorer) -> list[str]:
    """Return the names of the scores that a scorer gives."""
    if isinstance(scorer, NetworkScorer):
        return [f"{spec.partition(':')[0]}:{name}" for name in scorer.names]
    return [spec]


def score(job: Job, kept: Kept, share: Share, advance: Advance) -> pa.Table:
    """Score all architectures.

    Args:
        job: what is to be scored.
        kept: what is done already; grows.
        share: carries out what can be done for each network by itself.
        advance: is called with the number of scores just made, and the scorer.

    Returns:
        Rows of the `scores` contract: those of one scorer after those of another.

    Raises:
        SnapError: a scorer fails; what was scored until then is kept.
    """
    found: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    for spec, scorer in job.scorers.items():
        done = kept.of(spec)
        advance(sum(part.count for part in done.values()), spec)
        if isinstance(scorer, NetworkScorer):
            for part in _by_network(job, spec, scorer, set(done), share):
                kept.add(part)
                advance(1, spec)
            with _readable(kept, spec):
                found |= _together(spec, scorer, kept.of(spec), job.graphs["space"].to_pylist())
        else:
            if not done:
                kept.add(_at_once(job.graphs, spec, scorer))
                advance(job.graphs.num_rows, spec)
            with _readable(kept, spec):
                found[spec] = _whole(spec, kept.of(spec)[0], job.graphs.num_rows)
    return _table(job, found)


@contextmanager
def _readable(kept: Kept, spec: str) -> Iterator[None]:
    """Report what was kept but is no score of this scorer, as after an edit by hand."""
    try:
        yield
    except (LookupError, ValueError) as error:
        raise SnapError(
            f"{kept.path}: holds other scores than those of {spec}; remove it to score anew"
        ) from error


def _whole(spec: str, part: Part, count: int) -> tuple[Sequence[float], Sequence[float]]:
    """Return scores and seconds of a table that was scored at once."""
    scores = part.scores[spec]
    if len(scores) != count:
        raise ValueError(len(scores))
    return scores, [part.seconds[spec] / max(count, 1)] * count


def _at_once(graphs: pa.Table, spec: str, scorer: Scorer) -> Part:
    """Score a table by a scorer that takes it whole."""
    began = time.perf_counter()
    scores = score_graphs(scorer, graphs).tolist()
    seconds = time.perf_counter() - began
    return Part(scorer=spec, row=0, scores={spec: scores}, seconds={spec: seconds})


def _by_network(
    job: Job, spec: str, scorer: NetworkScorer, done: set[int], share: Share
) -> Iterator[Part]:
    """Yield the scores of the networks that have none yet."""
    rows = [row for row in range(job.graphs.num_rows) if row not in done]
    if job.source is None:
        tasks = [Task(spec, row, job.graphs.slice(row, 1), job.allow_code) for row in rows]
        yield from share(measure, tasks)
        return
    from snap_evo.scoring.networks import sourced

    names = job.graphs["arch_id"].to_pylist()
    for row, network in sourced(job.source, {names[row]: row for row in rows}):
        with told_of(scorer):
            found = _of_source(job.source, names[row], scorer, network)
        yield _part(spec, row, found)


def _of_source(source: str, name: str, scorer: NetworkScorer, network: "Network") -> Measured:
    try:
        return scorer.measure_network(network.module, network.side)
    except SnapError as error:
        raise SnapError(f"{source}: cannot score {name!r:.80}: {error}") from error


def measure(task: Task) -> Part:
    """Score one network, built from its row."""
    scorer = _loaded(task.scorer)
    with told_of(scorer):
        home = _home(task)
        found = scorer.measure(home, task.graph["arch_id"][0].as_py())
    return _part(task.scorer, task.row, found)


def _home(task: Task) -> Space:
    try:
        return table_space(task.graph, allow_code=task.allow_code)
    except SnapError as error:
        raise SnapError(
            f"{error}; networks that snap-graphs trace put into the file are scored with --source"
        ) from error


@cache
def _loaded(spec: str) -> NetworkScorer:
    """Make a scorer once a process."""
    scorer = load_scorer(spec)
    assert isinstance(scorer, NetworkScorer)
    return scorer


def _part(spec: str, row: int, found: Measured) -> Part:
    scores = {name: [value] for name, value in found.values.items()}
    return Part(scorer=spec, row=row, scores=scores, seconds=found.seconds)


def _together(
    spec: str, scorer: NetworkScorer, parts: Mapping[int, Part], spaces: Sequence[str]
) -> dict[str, tuple[Sequence[float], Sequence[float]]]:
    """Return the scores and seconds of all networks, by the names of the scores.

    Scores that compare networks with one another do so within a search space.
    """
    scores = {name: np.empty(len(spaces)) for name in scorer.names}
    for space in dict.fromkeys(spaces):
        rows = [row for row, each in enumerate(spaces) if each == space]
        values = [{name: v for name, (v,) in parts[row].scores.items()} for row in rows]
        for name, found in scorer.together(values).items():
            scores[name][rows] = found
    seconds = [scorer.seconds(parts[row].seconds) for row in range(len(spaces))]
    return {
        title: (scores[name].tolist(), [each[name] for each in seconds])
        for title, name in zip(score_names(spec, scorer), scorer.names, strict=True)
    }


def _table(job: Job, found: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> pa.Table:
    graphs, count = job.graphs, job.graphs.num_rows
    keys = pa.concat_tables([graphs.select(["space", "arch_id"])] * len(found))
    missing = pa.nulls(len(keys), pa.float64())
    columns = {
        "space": keys["space"],
        "arch_id": keys["arch_id"],
        "score": pa.array(np.concatenate([s for s, _ in found.values()]), pa.float64()),
        "spread": missing,
        "novelty": missing,
        "seconds": pa.array(np.concatenate([s for _, s in found.values()]), pa.float64()),
    }
    if len(found) > 1:
        columns["scorer"] = pa.array(np.repeat([*found], count), pa.string())
    metadata = {"snap.scorer": ", ".join(found)}
    if job.images:
        metadata["snap.images"] = json.dumps(job.images)
    return pa.table(columns).replace_schema_metadata(metadata)
