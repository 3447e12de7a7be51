"""Write the files and the summary of a search by score, and read its history."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.console import counted, say
from snap_catalog.parquet import check_writable, make_folder, read, replacing, write
from snap_catalog.replaceable import check_first_key
from snap_graphs.drawing import draw_architecture

from snap_evo.architecture import write_best
from snap_evo.candidates import Candidates
from snap_evo.pictures import draw_front, drawn
from snap_evo.ranking import MeasuredAccuracy, Ranking
from snap_evo.scorers import Trust
from snap_evo.search_loop import SearchResult
from snap_evo.search_options import ScoredSearch

_HISTORY, _BEST, _DRAWING = "search.parquet", "best.json", "best.svg"
_FRONT = "front.parquet"
_SECONDS_BETWEEN_WRITES = 1.0


@dataclass(frozen=True)
class Report:
    """The results of one search.

    Attributes:
        result: what the search found.
        search: its options.
        predicted: the whole space ranked by score; None if it cannot be listed.
        measured: the measured accuracy of the best cell; None if it is unknown.
        unmeasured: why it is unknown; empty otherwise.
        trust: how far to trust the scorer's ranking; None if the scorer does not report that, or
            the accuracy is known.
    """

    result: SearchResult
    search: ScoredSearch
    predicted: Ranking | None
    measured: MeasuredAccuracy | None
    unmeasured: str = ""
    trust: Trust | None = None

    @property
    def arch_id(self) -> str:
        """The best architecture."""
        return str(self.result.best["arch_id"][0])


def prepare(folder: str | os.PathLike[str]) -> Path:
    """Create a folder if it is missing, and check that the files can be written.

    Raises:
        SnapError: they cannot.
    """
    path = make_folder(folder)
    check_writable(path / _HISTORY, "search")
    check_first_key(path / _BEST, "space")
    return path


def read_history(folder: str | os.PathLike[str]) -> tuple[pa.Table, ScoredSearch]:
    """Read the history that a search left in a folder, and the search's options.

    Raises:
        SnapError: there is none.
    """
    path = Path(folder) / _HISTORY
    history = read(path, "search")
    return history, ScoredSearch.of(history, str(path))


@contextmanager
def keeping(search: ScoredSearch, folder: Path) -> Iterator[Callable[[Candidates], None]]:
    """Write a search's history as it grows, at most once per second, and when it ends early.

    After an error the history stays, and a message says how to continue.

    Yields:
        A function to call after every generation.
    """
    path, latest = folder / _HISTORY, list[Candidates]()
    written, written_at = 0, -_SECONDS_BETWEEN_WRITES

    def write_latest() -> None:
        nonlocal written, written_at
        for candidates in latest:
            _write_history(candidates.history(), search, path)
            written, written_at = candidates.evaluations, time.monotonic()

    def keep(candidates: Candidates) -> None:
        latest[:] = [candidates]
        if time.monotonic() - written_at >= _SECONDS_BETWEEN_WRITES:
            write_latest()

    try:
        yield keep
    except (SnapError, KeyboardInterrupt):
        with suppress(SnapError):
            write_latest()
        if written:
            flag = " --allow-code" if search.allow_code else ""
            kept = counted(written, "candidate")
            say(f"{kept} kept; to continue: snap-evo resume {folder}{flag}")
        raise


def _write_history(history: pa.Table, search: ScoredSearch, path: Path) -> None:
    write(history, path, "search", producer="snap-evo", metadata=search.metadata())


def write_results(report: Report, folder: Path) -> list[str]:
    """Write history, best cell and, for several objectives, the front; return the files' paths.

    Each file is written atomically.
    """
    result = report.result
    history, best, front = (folder / name for name in (_HISTORY, _BEST, _FRONT))
    _write_history(result.history, report.search, history)
    with replacing(best) as temporary:
        temporary.write_text(as_json(report), "utf-8")
    if len(result.objectives) == 1:
        return [str(history), str(best)]
    _write_history(result.front, report.search, front)
    return [str(history), str(best), str(front)]


def write_drawings(report: Report, folder: Path) -> list[str]:
    """Draw the best cell and, for several objectives, the front; return the files' paths."""
    cell = str(folder / _DRAWING)
    draw_architecture(report.result.space, report.result.cell, cell, title=report.arch_id)
    if len(report.result.objectives) == 1:
        return [cell]
    return [cell, *drawn(folder, "front", partial(draw_front, report.result))]


def as_json(report: Report) -> str:
    """Return the content of `best.json`, which is equal for equal runs apart from `seconds`."""
    result, measured, predicted = report.result, report.measured, report.predicted
    entries: dict[str, Any] = {
        "score": result.score,
        "rank": None if predicted is None else predicted.rank(predicted.row(report.arch_id)),
        "metrics": {measured.metric: measured.value} if measured else {},
        "measured": asdict(measured) if measured else None,
        "network": report.search.network,
        "space_file": report.search.space if report.search.definition else None,
        "space_definition": report.search.definition,
        "trust": report.trust.as_dict() if report.trust else None,
        "scorer": report.search.scorer,
        "algorithm": result.algorithm,
        "stopped": result.stopped,
        "seed": result.seed,
        "evaluations": result.evaluations,
        "distinct": result.distinct,
        "beyond_limits": result.beyond_limits,
        "seconds": result.seconds,
    }
    return write_best(result.best.to_pylist()[0], entries)


def summary(report: Report, seconds: dict[str, float], files: list[str]) -> str:
    """Return the summary."""
    result = report.result
    lines = [
        ("best cell", report.arch_id),
        ("score", f"{result.score:.7g} by {report.search.scorer}, {_scored_rank(report)}"),
        *_trust_lines(report),
        *_measured_lines(report),
        *_front_lines(result),
        ("searched", _effort(report)),
        *_limit_lines(result),
        ("time", ", ".join(f"{part} {spent:.1f} s" for part, spent in seconds.items())),
        ("files", ", ".join(files)),
    ]
    return "\n".join(f"{label:<15}{text}" for label, text in lines)


def _trust_lines(report: Report) -> list[tuple[str, str]]:
    lines = str(report.trust).splitlines() if report.trust else []
    return [("" if number else "trust", line.strip()) for number, line in enumerate(lines)]


def _scored_rank(report: Report) -> str:
    scores = report.result.scored["score"].to_numpy()
    hashes = np.array(report.result.scored["cell_hash"].to_pylist())
    ties = len(np.unique(hashes[scores == report.result.score])) - 1
    text = f"rank 1{_shared(ties)} of the {report.result.distinct:,} cells scored"
    if report.predicted is None:
        return text
    row = report.predicted.row(report.arch_id)
    ties = report.predicted.ties(row)
    rank = f"{report.predicted.rank(row):,}{_shared(ties)}"
    return f"{text}, {rank} of all {len(report.predicted):,}"


def _shared(ties: int) -> str:
    return f" (shared with {ties:,} more)" if ties else ""


def _measured_lines(report: Report) -> list[tuple[str, str]]:
    found = report.measured
    if found is None:
        return [("measured", f"not available: {report.unmeasured}")]
    return [
        (
            "measured",
            f"{found.value:.2f} % {found.metric}, rank {found.rank:,} of {found.architectures:,} "
            f"({found.benchmark}, role {found.role}: reported only)",
        ),
        (
            "best in space",
            f"{found.best:.2f} %, {found.best - found.value:.2f} above: {found.best_arch_id}",
        ),
        (
            "random search",
            f"{found.chance_mean:.2f} +- {found.chance_deviation:.2f} % measured, over "
            f"{found.chance_seeds} seeds: each picks what {report.search.scorer} rates highest of "
            f"{report.result.evaluations:,} random cells",
        ),
        ("mean of space", f"{found.mean:.2f} %"),
    ]


def _front_lines(result: SearchResult) -> list[tuple[str, str]]:
    if len(result.objectives) == 1:
        return []
    names = ", ".join(objective.name for objective in result.objectives)
    return [("front", f"{result.front.num_rows:,} cells that no other beats in {names}")]


def _limit_lines(result: SearchResult) -> list[tuple[str, str]]:
    if not result.limits:
        return []
    limits = ", ".join(map(str, result.limits))
    return [("limits", f"{limits}: {result.beyond_limits:,} candidates beyond, not scored")]


def _effort(report: Report) -> str:
    result = report.result
    text = (
        f"{result.evaluations:,} evaluations by {result.algorithm} (seed {result.seed}), "
        f"ended by {result.stopped}, {result.distinct:,} distinct cells scored"
    )
    if report.predicted is None:
        return text
    share = 100 * result.distinct / report.predicted.distinct
    return f"{text}, {share:.1f} % of the {report.predicted.distinct:,} in {result.space}"
