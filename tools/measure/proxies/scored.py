"""Architectures of a benchmark with what was measured of them and their scores by proxies."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog.parquet import read
from snap_catalog.scores import by_scorer

from tools.reproduce.proxies import FILES
from tools.reproduce.sources import graphs_file

Floats = npt.NDArray[np.float64]

RESULTS = Path("build/results")
"""Where `tools.reproduce --all` leaves what is read here."""


class Scored(NamedTuple):
    """n architectures and their scores.

    Attributes:
        graphs: n rows of the `graphs` contract.
        scores: by scorer (n,) scores, higher is better.
        seconds: by scorer the mean seconds per architecture, if its file has them.
    """

    graphs: pa.Table
    scores: Mapping[str, Floats]
    seconds: Mapping[str, float]


def scored(space: str, files: Sequence[Path], results: Path = RESULTS) -> Scored:
    """Read the architectures of a space that all scorers of some files score."""
    parts = [part for file in files for part in by_scorer(read(file, "scores"), str(file)).items()]
    graphs = read(graphs_file(results, space), "graphs")
    for _, table in parts:
        graphs = graphs.filter(pc.is_in(graphs["arch_id"], value_set=table["arch_id"]))
    scores = {_short(name): _in_order(graphs, table) for name, table in parts}
    seconds = {
        _short(name): float(np.mean(table["seconds"]))
        for name, table in parts
        if "seconds" in table.column_names
    }
    return Scored(graphs, scores, seconds)


def score_files(space: str, results: Path = RESULTS) -> list[Path]:
    """Return the files of a space's scores by proxies."""
    return [results / "scores" / space / name for name in FILES]


def _short(name: str) -> str:
    return name.removeprefix("proxy:")


def _in_order(graphs: pa.Table, table: pa.Table) -> Floats:
    rows = pc.index_in(graphs["arch_id"], value_set=table["arch_id"].combine_chunks())
    found: Floats = table["score"].take(rows).to_numpy()
    return found
