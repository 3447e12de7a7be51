"""Search curves and the cells found (paper, Figure 9)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import SnapError
from snap_graphs import space
from snap_graphs.spaces import Space, defined_space
from snap_graphs.spaces.custom import DEFINITION

from snap_eval.arrays import Floats
from snap_eval.report import charts
from snap_eval.report.curves import labelled
from snap_eval.report.drawings import Named, drawings
from snap_eval.report.figures import Absent, Chart, Entry, Part, Skipped, Table, entry, slug
from snap_eval.report.matched import benchmarks_of, metrics
from snap_eval.report.results import File, Results

COMMAND = "snap-evo run --space SPACE --scorer SCORER --seed SEED --out FOLDER"
_POINTS = 60
_FRONT = "front"
"""The name of the file of a search's Pareto front, which holds rows of the history next to it."""
_SEED = "snap.seed"


class Undrawn(NamedTuple):
    """A cell of an unknown search space.

    Attributes:
        space: the space's name.
        arch_id: the name of the cell in it.
        why: why it cannot be drawn.
    """

    space: str
    arch_id: str
    why: str
    key: str = ""


Best = Named | Undrawn


def searches(results: Results) -> Iterator[Part]:
    """Show the best score so far of each search, and the best cells."""
    histories = [file for file in results.of("search") if Path(file.name).name != _FRONT]
    files = [file for file in histories if file.table["score"].null_count < len(file.table)]
    for file in histories:
        if file not in files:
            yield Skipped(f"{file.name}.parquet", "no candidate of this search has a score")
    if not files:
        yield Absent("search curves and the cells found (Figure 9)", COMMAND)
        return
    groups: dict[tuple[str, str], list[File]] = {}
    for file in files:
        groups.setdefault((_space(file), file.facts["snap.scorer"]), []).append(file)
    for (name, scorer), same in sorted(groups.items()):
        yield _curves(name, scorer, same)
    found = [_best(file) for file in files]
    yield _found(results, files, found)
    for file, best in zip(files, found, strict=True):
        if isinstance(best, Undrawn):
            yield Skipped(f"{file.name}.parquet: the drawing of its best cell", best.why)


def _space(file: File) -> str:
    return str(file.table["space"][0])


def _curves(name: str, scorer: str, files: Sequence[File]) -> Chart | Skipped:
    algorithms: dict[str, list[Floats]] = {}
    for file in files:
        algorithms.setdefault(file.facts["snap.algorithm"], []).append(_best_so_far(file))
    points = [
        point for series in sorted(algorithms) for point in _points(series, algorithms[series])
    ]
    if not points:
        return Skipped(f"the curve of {name} by {scorer}", "its runs share no scored evaluation")
    seeds = ", ".join(f"{series} {len(runs)}" for series, runs in sorted(algorithms.items()))
    return Chart(
        slug("search", name, scorer),
        f"Searching {name} by {scorer}",
        "Best score so far over the number of candidates evaluated: mean of the runs, and the band "
        f"between the worst and the best of them. Runs: {seeds}.",
        labelled(points),
        COMMAND,
        charts.curves("candidates evaluated", "best score so far", steps=True),
    )


def _best_so_far(file: File) -> Floats:
    ordered = file.table.sort_by("evaluation")
    scores = ordered["score"].fill_null(-np.inf).to_numpy()
    best: Floats = np.maximum.accumulate(scores)
    return best


def _points(name: str, runs: Sequence[Floats]) -> Iterator[dict[str, Any]]:
    """Yield the curve of an algorithm at places that are even on a logarithmic axis."""
    length = min(map(len, runs))
    values = np.stack([run[:length] for run in runs])
    defined = np.flatnonzero(np.isfinite(values).all(axis=0))
    wanted = np.unique(np.geomspace(1, length, _POINTS).round().astype(int)) - 1
    places = [place for place in wanted if place in defined]
    for place in places:
        yield {
            "series": name,
            "x": int(place) + 1,
            "mean": float(values[:, place].mean()),
            "low": float(values[:, place].min()),
            "high": float(values[:, place].max()),
        }


def _found(results: Results, files: Sequence[File], found: Sequence[Best]) -> Table:
    rows = [_summed(results, file, best) for file, best in zip(files, found, strict=True)]
    data = pa.Table.from_pylist(
        [row | {"cell": best.arch_id} for row, best in zip(rows, found, strict=True)]
    )
    return Table(
        "found",
        "The best cells found (Figure 9)",
        "Measurements are looked up after the search, and had no part in it. Point at a cell, or "
        "tap it, to see it drawn.",
        data,
        COMMAND,
        data.column_names,
        [
            [*map(entry, row.values()), Entry(best.arch_id, drawing=best.key)]
            for row, best in zip(rows, found, strict=True)
        ],
        drawings(best for best in found if isinstance(best, Named)),
        gallery=_best_of_all(rows, found),
    )


def _best_of_all(rows: Sequence[Mapping[str, Any]], found: Sequence[Best]) -> list[str]:
    """Return the key of the best cell per space and scorer, over all algorithms."""
    best: dict[tuple[str, str], tuple[float, str]] = {}
    for row, cell in zip(rows, found, strict=True):
        if isinstance(cell, Named):
            search = cell.space, row["scorer"]
            best[search] = max(best.get(search, (float("-inf"), "")), (row["best score"], cell.key))
    return [key for _, key in best.values()]


def _best(file: File) -> Best:
    """Return the best cell of a search, or why its string cannot be parsed."""
    scores = file.table["score"].fill_null(-np.inf).to_numpy()
    arch_id = str(file.table["arch_id"][int(scores.argmax())])
    try:
        return Named(_space(file), arch_id, _space_of(file).parse(arch_id))
    except SnapError as error:
        return Undrawn(_space(file), arch_id, str(error))


def _space_of(file: File) -> Space:
    """Return the space of a search, which the file may define."""
    name, definition = _space(file), file.facts.get(DEFINITION)
    if definition is None:
        return space(name)
    found = defined_space(definition, f"{file.name}.parquet ({DEFINITION})")
    if found.name != name:
        raise SnapError(f"the file defines the space {found.name!r}, but its cells are of {name!r}")
    return found


def _summed(results: Results, file: File, best: Best) -> dict[str, Any]:
    return {
        "space": _space(file),
        "scorer": file.facts["snap.scorer"],
        "algorithm": file.facts["snap.algorithm"],
        "seed": _seed(file),
        "candidates": len(file.table),
        "distinct": len(file.table["cell_hash"].unique()),
        "seconds": float(pc.max(file.table["seconds"]).as_py()),
        "best score": float(pc.max(file.table["score"]).as_py()),
        "measured": _measured(results, best),
    }


def _seed(file: File) -> int:
    try:
        return int(file.facts[_SEED])
    except ValueError as error:
        raise file.fault(_SEED) from error


def _measured(results: Results, named: Best) -> str:
    """Return the value of a cell in each benchmark, by the first metric in the correlations."""
    found = []
    for benchmark in benchmarks_of(results):
        metric = next(iter(metrics(results, benchmark)), None)
        place = benchmark.cells.index(f"{named.space}\0{named.arch_id}").as_py()
        value = benchmark.graphs[metric][place].as_py() if metric and place >= 0 else None
        if value is not None:
            found.append(f"{benchmark.name} {metric} {value:.2f}")
    return "; ".join(found) or "not known"
