"""Read and write the files of searches by score."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.console import counted, say
from snap_catalog.parquet import check_writable, read, replacing, write
from snap_catalog.replaceable import check_first_key
from snap_graphs.drawing import draw_architecture

from snap_evo.algorithm_comparison import Run, best_so_far, regrets
from snap_evo.candidates import Candidates
from snap_evo.csv_files import write_csv
from snap_evo.pictures import draw_best, draw_front, draw_regret, drawn
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
    path = Path(folder)
    if not path.exists():
        check_writable(path)
        path.mkdir()
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
    history = _History(search, folder / _HISTORY)
    try:
        yield history.keep
    except (SnapError, KeyboardInterrupt):
        with suppress(SnapError):
            history.write()
        if history.rows:
            flag = " --allow-code" if search.allow_code else ""
            kept = counted(history.rows, "candidate")
            say(f"{kept} kept; to continue: snap-evo resume {folder}{flag}")
        raise


class _History:
    """The file of a growing history."""

    def __init__(self, search: ScoredSearch, path: Path) -> None:
        self.rows = 0
        self._search, self._path = search, path
        self._latest: Candidates | None = None
        self._written_at = -_SECONDS_BETWEEN_WRITES

    def keep(self, candidates: Candidates) -> None:
        self._latest = candidates
        if time.monotonic() - self._written_at >= _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        if self._latest is not None:
            _write_history(self._latest.history(), self._search, self._path)
            self.rows, self._written_at = self._latest.evaluations, time.monotonic()


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


def write_comparison(runs: Sequence[Run], best: float, folder: Path, *, title: str) -> list[str]:
    """Write `runs.csv` and the plots of regret against the best score; return the files' paths."""
    draw = partial(draw_regret, regrets(runs, best), title=title)
    return [write_runs(runs, folder), *drawn(folder, "regret", draw)]


def write_measured(runs: Sequence[Run], metric: str, folder: Path, *, title: str) -> list[str]:
    """Write `runs.csv` and the plots of the best value so far; return the files' paths."""
    draw = partial(draw_best, best_so_far(runs), metric=metric, title=title)
    return [write_runs(runs, folder), *drawn(folder, "best-so-far", draw)]


def write_runs(runs: Sequence[Run], folder: Path) -> str:
    """Write `runs.csv`, one row per search, and return its path."""
    names = ["algorithm", "seed", "arch_id", "score", "evaluations", "distinct", "seconds"]
    rows = []
    for run in runs:
        found = (run.arch_id, float(run.best[-1]), run.evaluations_to(float(run.best[-1])))
        rows.append([run.algorithm, run.seed, *found, run.distinct, run.seconds])
    return write_csv(folder / "runs.csv", names, rows)
