"""Write the files of a search."""

import os
from pathlib import Path

from snap_catalog.parquet import check_writable, replacing, write
from snap_graphs.drawing import draw_architecture

from snap_evo.report import Report, as_json

_HISTORY, _BEST, _DRAWINGS = "search.parquet", "best.json", ("best.svg", "best.png")


def prepare(folder: str | os.PathLike[str]) -> Path:
    """Make sure, before any work, that a folder exists and takes files.

    Raises:
        SnapError: it does not.
    """
    path = Path(folder)
    if not path.exists():
        check_writable(path)
        path.mkdir()
    check_writable(path / _BEST)
    return path


def write_results(report: Report, folder: Path) -> list[str]:
    """Write `search.parquet` and `best.json`, each whole or not at all; return their paths."""
    result = report.result
    metadata = {
        "snap.scorer": report.scorer,
        "snap.algorithm": result.algorithm,
        "snap.seed": str(result.seed),
    }
    history, best = folder / _HISTORY, folder / _BEST
    write(result.history, history, "search", producer="snap-evo", metadata=metadata)
    with replacing(best) as temporary:
        temporary.write_text(as_json(report), "utf-8")
    return [str(history), str(best)]


def write_drawings(report: Report, folder: Path) -> list[str]:
    """Draw the best cell as SVG and PNG; return the files' paths."""
    paths = [str(folder / name) for name in _DRAWINGS]
    for path in paths:
        draw_architecture(report.result.space, report.result.cell, path, title=report.arch_id)
    return paths
