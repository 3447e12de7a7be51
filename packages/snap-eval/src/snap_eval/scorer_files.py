"""Read scorers from the columns of any tables."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import SnapError
from snap_catalog.casting import is_number
from snap_catalog.metrics import fitting_metrics, resolve_metric
from snap_catalog.parquet import claim, read
from snap_catalog.rules import check_key
from snap_catalog.schemas import Name
from snap_catalog.scores import several
from snap_catalog.tables import doubles, identifiers, is_parquet, read_table

from snap_eval import large
from snap_eval.measured import Measured, cell_keys, check_name, count_operators, fitting
from snap_eval.plain import quoted
from snap_eval.scorers import Scorer, as_scorers

_SPEC = re.compile(r"(?:(?P<name>[^=:/]+)=)?(?P<file>[^:]*)(?::(?P<column>.+))?")
_COUNT = "count:"
_PROXY = "proxy:"
"""How names of scores begin that `snap-evo score` computes by zero-cost proxies."""


def read_scorers(specs: Sequence[str], measured: Sequence[Measured]) -> list[Scorer]:
    """Read scorers, each from a column of a table.

    Args:
        specs: `[NAME=]FILE[:COLUMN]`, Parquet or CSV files (a `*` stands for any letters), or
            `[NAME=]:COLUMN` for a column of the benchmarks themselves. `COLUMN` is any numeric
            column, `score` by default; metric columns may be shortened, and
            `count:OPERATOR` counts operators. A file of the `scores` contract gives all its
            scorers, or the one that stands in the place of `COLUMN`.
        measured: the benchmarks.

    Returns:
        One scorer a name and seed. Files of the same one are put together.

    Raises:
        SnapError: a file is missing or damaged, has no such column, names a cell twice, or two
            files of one scorer and seed differ on a cell; several scorers are given one name; a
            score is infinite or none that a double holds; or a scorer's name does not print.
    """
    found: dict[tuple[str, int | None], Scorer] = {}
    for one in (one for spec in specs for one in _read(spec, measured)):
        check_name(one.name, one.source)
        key = one.name, one.seed
        found[key] = _together(found[key], one) if key in found else one
    return list(found.values())


def _read(spec: str, measured: Sequence[Measured]) -> Iterator[Scorer]:
    match = _SPEC.fullmatch(spec)
    if match is None or not (match["file"] or match["column"]):
        raise SnapError(f"{spec!r} names no scores; give [NAME=]FILE[:COLUMN] or [NAME=]:COLUMN")
    name, file, column = match["name"], match["file"], match["column"]
    if Path(spec).is_file():
        name, file, column = None, spec, None
    if not file:
        yield from _own(name or column, column, measured)
        return
    for path in fitting(file):
        yield from _from_file(path, name, column, measured)


def _from_file(
    file: str, name: str | None, column: str | None, measured: Sequence[Measured]
) -> list[Scorer]:
    if any(m.scan for m in measured) and is_parquet(file) and claim(file) == "scores":
        return [_scanned(file, name, column)]
    table, kind = _table(file)
    found = _scorers(table, column, file) if kind == "scores" else []
    if name and len(found) > 1:
        raise SnapError(
            f"{file}: scores of several scorers ({', '.join(one.name for one in found)}); name "
            f"one of them, as {name}={found[0].source}"
        )
    if found:
        return [
            replace(one, name=name or one.name, is_baseline=one.name.startswith(_PROXY))
            for one in found
        ]
    scores = _scores(_keyed(table, file, measured), column or "score", file)
    return [Scorer(name or column or Path(file).name.split(".")[0], None, scores, file)]


def _scanned(file: str, name: str | None, column: str | None) -> Scorer:
    """Return the scorer of a file that is scanned."""
    rows = large.columns_of(file, "scores")
    if "scorer" in rows.column_names:
        raise SnapError(
            f"{file}: its column 'scorer' may name several; give each a file of its own"
        )
    score = _resolve(rows, column or "score", file)
    (one,) = as_scorers(rows, file)
    return replace(one, name=name or one.name, scan=_scan([file], score))


def _scan(files: Sequence[str], column: str) -> large.Relation:
    return large.scan(files, f"space, arch_id, {quoted(column)}::DOUBLE AS score")


def _scorers(table: pa.Table, column: str | None, file: str) -> list[Scorer]:
    """Return the scorers of a file that are meant: all, or one; none where another column is."""
    known = {one.name: one for one in as_scorers(table, file)}
    if column in known and (len(known) > 1 or column not in table.column_names):
        return [known[column]]
    if column in (None, "score"):
        return [*known.values()]
    if len(known) > 1:
        raise SnapError(
            f"{file}: none of its scorers is called {column!r}; choose one of: {', '.join(known)}"
        )
    return []


def _own(name: str, column: str, measured: Sequence[Measured]) -> Iterator[Scorer]:
    having = [m for m in measured if _has(m.graphs, column)] or measured
    for benchmark in having:
        if benchmark.scan:
            if column.startswith(_COUNT):
                raise SnapError(
                    f"{benchmark.source}: has more than {large.LARGE:,} rows, in which operators "
                    "are not counted; give a file of fewer rows"
                )
            score = _resolve(benchmark.graphs, column, benchmark.source)
            scan = _scan(benchmark.scan.files, score)
            empty = benchmark.graphs.select(["space", "arch_id"])
            yield Scorer(name, None, empty, benchmark.source, is_baseline=True, scan=scan)
            continue
        scores = _scores(benchmark.graphs, column, benchmark.source)
        yield Scorer(name, None, scores, benchmark.source, is_baseline=True)


def _has(table: pa.Table, column: str) -> bool:
    names = table.column_names
    return column.startswith(_COUNT) or column in names or bool(fitting_metrics(column, names))


def _table(file: str) -> tuple[pa.Table, Name | None]:
    """Read a table, and the contract that it keeps, if any."""
    kind = claim(file) if is_parquet(file) else None
    return (read_table(file), None) if kind is None else (read(file, kind), kind)


def _keyed(table: pa.Table, file: str, measured: Sequence[Measured]) -> pa.Table:
    """Bring a table's cells into the columns `space` and `arch_id`, unique together."""
    names = table.column_names
    if "arch_id" not in names and "arch" in names:
        table = table.rename_columns(["arch_id" if n == "arch" else n for n in names])
    if "arch_id" not in table.column_names:
        raise SnapError(f"{file}: no column 'arch_id' or 'arch' names the cells; add one")
    if scorers := several(table):
        raise SnapError(
            f"{file}: its column 'scorer' names several ({scorers}); give each a file of its own"
        )
    if "space" not in names:
        table = table.append_column("space", _only_space(len(table), file, measured))
    for name in ("space", "arch_id"):
        place = table.column_names.index(name)
        table = table.set_column(place, name, identifiers(table, name, file))
    check_key(table, ["space", "arch_id"], file)
    return table


def _only_space(rows: int, file: str, measured: Sequence[Measured]) -> pa.Array:
    spaces = sorted({s for m in measured for s in m.graphs["space"].unique().to_pylist()})
    if len(spaces) != 1:
        several = f" of {', '.join(spaces)}" if spaces else " search space"
        raise SnapError(
            f"{file}: no column 'space' says to which{several} its cells belong; add one"
        )
    return pa.array(spaces * rows, pa.string())


def _scores(table: pa.Table, column: str, source: str) -> pa.Table:
    if column.startswith(_COUNT):
        score = _counts(table, column.removeprefix(_COUNT), source)
    else:
        score = doubles(table, _resolve(table, column, source), source)
        _refuse_infinite(score, column, source)
    return table.select(["space", "arch_id"]).append_column("score", score).filter(score.is_valid())


def _counts(table: pa.Table, operator: str, source: str) -> pa.Array:
    if "nodes" not in table.column_names:
        raise SnapError(f"{source}: no graphs file, so it has no operators to count")
    counts = count_operators(table, operator)
    if not counts.any():
        raise SnapError(f"{source}: no cell has an operator {operator!r}; * stands for any letters")
    return pa.array(counts, pa.float64())


def _refuse_infinite(score: pa.ChunkedArray, column: str, source: str) -> None:
    row = pc.index(pc.is_inf(score), True).as_py()
    if row >= 0:
        raise SnapError(
            f"{source}: row {row + 1}: column {column!r} holds {score[row].as_py()}, which ranks "
            "nothing; correct it or leave it empty"
        )


def _resolve(table: pa.Table, column: str, source: str) -> str:
    names: list[str] = table.column_names
    if column in names:
        return column
    if fitting_metrics(column, names):
        return resolve_metric(column, names, source=source)
    numeric = ", ".join(field.name for field in table.schema if is_number(field.type))
    raise SnapError(f"{source}: no column {column!r}; choose one of: {numeric}")


def _together(one: Scorer, other: Scorer) -> Scorer:
    """Put two files of one scorer and seed together; what both score they must score alike."""
    both = pa.concat_tables([one.scores, other.scores])
    alike = both.group_by(["space", "arch_id", "score"], use_threads=False).aggregate([])
    keys = cell_keys(alike)
    cells = keys.dictionary_encode()
    repeated = np.flatnonzero(np.bincount(cells.indices.to_numpy()) > 1)
    if repeated.size:
        cell = cells.dictionary[int(repeated[0])].as_py().split("\0")[1]
        raise SnapError(
            f"{one.source} and {other.source}: both have a score of {cell!r} by {one.name!r} "
            f"(seed {one.seed}), and not the same; name one of them, as NAME={other.source}"
        )
    scores = alike.select(["space", "arch_id", "score"])
    return replace(one, scores=scores, source=f"{one.source}, {other.source}")
