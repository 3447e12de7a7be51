"""Write the files and the summary of a session."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.console import counted, say
from snap_catalog.metrics import oriented
from snap_catalog.parquet import check_writable, replacing
from snap_catalog.replaceable import check_first_key
from snap_graphs.drawing import draw_architecture

from snap_evo.architecture import write_best
from snap_evo.csv_files import write_csv
from snap_evo.measuring.session import Progress, Result, Session
from snap_evo.objectives import COSTS, SCORE, is_metric_of, parse_objectives
from snap_evo.objectives import front as pareto_front
from snap_evo.pictures import draw_progress, draw_tradeoff, drawn

_BEST, _DRAWING, _FRONT = "best.json", "best.svg", "front.csv"


def check_replaceable(folder: Path) -> None:
    """Check that a session may write its files to a folder.

    Raises:
        SnapError: a file of another origin is in the way.
    """
    check_first_key(folder / _BEST, "space")
    check_writable(folder / _BEST)


def write_results(session: Session, progress: Progress) -> list[str]:
    """Write measurements.parquet, best.json, best.svg and the pictures; return their paths.

    Without a measurement within the limits only the first is written.
    """
    files = [session.write_table()]
    if progress.best is None:
        return [str(path) for path in files]
    best, drawing = session.folder / _BEST, session.folder / _DRAWING
    with replacing(best) as temporary:
        temporary.write_text(as_json(session, progress, progress.best), "utf-8")
    found = session.architecture(progress.best.entry.arch_id)
    draw_architecture(found.space, found.cell, str(drawing), title=found.arch_id)
    better = np.fmin if session.setup.direction == "min" else np.fmax
    values, so_far = progress.values, better.accumulate(progress.values)
    draw = partial(draw_progress, values, so_far, metric=session.setup.metric)
    return [
        *(str(path) for path in (*files, best, drawing)),
        *drawn(session.folder, "progress", draw),
        *_write_front(session, progress),
    ]


def _write_front(session: Session, progress: Progress) -> list[str]:
    """Write and draw the front, if there are several objectives, and return the files' paths."""
    setup = session.setup
    if setup.objective == SCORE:
        return []
    names, measured, front = _tradeoff(session, progress)
    if not front.num_rows:
        say(f"no measurement has all of {', '.join(names)}: the front is empty")
    columns = ["arch_id", setup.metric, *names]
    rows = zip(*(column.to_pylist() for column in front.select(columns).columns), strict=True)
    table = write_csv(session.folder / _FRONT, columns, rows)
    draw = partial(draw_tradeoff, measured, front, names, against=setup.metric)
    return [table, *drawn(session.folder, "front", draw)]


def _tradeoff(session: Session, progress: Progress) -> tuple[list[str], pa.Table, pa.Table]:
    """Compare the measurements of a session by its objectives.

    The objective `score` is the metric; the others are costs, metrics of the table, and costs
    measured with the metric.

    Returns:
        The objectives other than the metric; one row per measurement within the limits whose
        objectives are all known, with a column for the metric and for every other objective; and
        the rows that no other row dominates.

    Raises:
        SnapError: the metric is not among the objectives, or one is named twice.
    """
    setup, names = session.setup, session.setup.objective.split(",")
    known_names = [n for n in names if n in (SCORE, *COSTS) or is_metric_of(n, setup.table)]
    others = [n for n in names if n not in known_names]
    if len(set(names)) < len(names):
        raise SnapError(f"the objectives {setup.objective!r} name one twice; drop it")
    known = parse_objectives(",".join(known_names), setup.table)
    results = [r for r in progress.results if r.within and all(n in r.costs for n in others)]
    graphs = session.graphs([result.entry.arch_id for result in results])
    columns = {
        setup.metric: np.array([r.entry.value for r in results], np.float64),
        **{each.name: each.values(graphs) for each in known if each.values},
        **{name: np.array([r.costs[name] for r in results], np.float64) for name in others},
    }
    measured = graphs.select(["space", "arch_id", "cell_hash"])
    for name, values in columns.items():
        measured = measured.append_column(name, pa.array(values, pa.float64()))
    directions = {each.name: each.direction for each in known} | {setup.metric: setup.direction}
    turned = [oriented(values, directions.get(name, "min")) for name, values in columns.items()]
    rows = pareto_front(np.column_stack(turned))
    return [*columns][1:], measured, measured.take(rows)


def as_json(session: Session, progress: Progress, best: Result) -> str:
    """Return the content of `best.json`."""
    setup = session.setup
    entries: dict[str, Any] = {
        "metric": setup.metric,
        "direction": setup.direction,
        "value": best.entry.value,
        "measured": best.costs,
        "metrics": {},
        "network": setup.network,
        "space_file": setup.space if setup.definition else None,
        "space_definition": setup.definition,
        "scorer": setup.scorer,
        "surrogate": setup.surrogate,
        "algorithm": setup.algorithm,
        "seed": setup.seed,
        "measurements": progress.measured,
        "failed": len(progress.failed),
        "beyond_limits": progress.beyond,
        "seconds": sum(result.entry.seconds or 0.0 for result in progress.results),
    }
    return write_best(session.graphs([best.entry.arch_id]).to_pylist()[0], entries)


def best_of(session: Session, progress: Progress) -> Result:
    """Return the best measurement.

    Raises:
        SnapError: all failed or are beyond the limits.
    """
    if progress.best is not None:
        return progress.best
    measured, failed = progress.measured, len(progress.failed)
    problem, remedy = "and all of them failed", "correct the measurer, and add --retry"
    if failed < measured:
        problem = f"{failed:,} of them failed and the others are beyond the limits"
        remedy = "correct the measurer, or widen the limits"
    effort = f"{counted(measured, 'architecture')} measured"
    raise SnapError(f"{session.folder}: {effort}, {problem}; {remedy}")


def summary(session: Session, progress: Progress, files: list[str], stopped: str = "") -> str:
    """Return the summary of a session."""
    best = best_of(session, progress)
    setup = session.setup
    first = [result.entry.arch_id for result in progress.results].index(best.entry.arch_id) + 1
    costs = "".join(f", {name} {value:.7g}" for name, value in best.costs.items())
    measured = f"{counted(progress.measured, 'architecture')} measured"
    effort = f"{measured}, {len(progress.failed):,} failed"
    beyond = counted(progress.beyond, "measurement")
    lines = [
        ("best measured", best.entry.arch_id),
        ("value", f"{best.entry.value:.7g} {setup.metric}{costs}, by measurement {first:,}"),
        ("measured", effort + (f"; ended by {stopped}" if stopped else "")),
        *([("limits", f"{beyond} beyond")] if progress.beyond else []),
        *([("pending", f"{len(progress.pending):,} proposed")] if progress.pending else []),
        ("files", ", ".join(files)),
    ]
    return "\n".join(f"{label:<15}{text}" for label, text in lines)
