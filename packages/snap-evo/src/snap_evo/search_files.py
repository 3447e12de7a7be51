"""Read and write the files of searches by score."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.console import counted, say
from snap_catalog.parquet import check_writable, make_folder, read, replacing, write
from snap_catalog.replaceable import check_first_key
from snap_graphs.drawing import draw_architecture

from snap_evo.candidates import Candidates
from snap_evo.pictures import draw_front, drawn
from snap_evo.report import Report, as_json
from snap_evo.search_options import ScoredSearch

_HISTORY, _BEST, _DRAWING = "search.parquet", "best.json", "best.svg"
_FRONT = "front.parquet"
_SECONDS_BETWEEN_WRITES = 1.0


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
