"""A DuckDB file of results, which the DuckDB shell and notebooks open directly."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import SnapError, parquet
from snap_catalog.metrics import is_metric
from snap_catalog.schemas import contract
from snap_catalog.scores import NO_SCORE

from snap_eval.measured import Measured
from snap_eval.relations import CLOSED, average_rank, first_line
from snap_eval.scorers import Scorer

KEYS = {
    "cells": ("benchmark", "space", "arch_id"),
    "measurements": ("benchmark", "space", "arch_id", "metric"),
    "scores": ("scorer", "seed", "space", "arch_id"),
    "correlations": (*contract("correlations").key, "where"),
}
"""The tables, and the columns that identify their rows: a new row replaces the old one."""
_COSTS = ("n_dead", "params", "flops", "activations", "depth", "n_paths")
_CELLS = ("space", "arch_id", "cell_hash", *_COSTS)
_TABLES = f"""
CREATE TABLE IF NOT EXISTS cells (benchmark VARCHAR, space VARCHAR, arch_id VARCHAR,
    cell_hash VARCHAR, n_dead SMALLINT, params BIGINT, flops BIGINT, activations BIGINT,
    depth SMALLINT, n_paths INTEGER);
CREATE TABLE IF NOT EXISTS measurements (benchmark VARCHAR, space VARCHAR, arch_id VARCHAR,
    metric VARCHAR, direction VARCHAR, value DOUBLE);
CREATE TABLE IF NOT EXISTS scores (scorer VARCHAR, seed BIGINT, space VARCHAR, arch_id VARCHAR,
    score DOUBLE);
CREATE OR REPLACE VIEW joined AS SELECT benchmark, metric, scorer, seed, space, arch_id, score,
    value AS measured, CASE direction WHEN 'min' THEN -value ELSE value END AS oriented
    FROM scores JOIN measurements USING (space, arch_id)
    WHERE isfinite(score) AND score <> {NO_SCORE} AND isfinite(value);
CREATE OR REPLACE VIEW ranked AS SELECT *,
    {average_rank("run ORDER BY score DESC")} AS score_rank,
    {average_rank("run ORDER BY oriented DESC")} AS measured_rank
    FROM joined WINDOW run AS (PARTITION BY benchmark, metric, scorer, seed);
"""


def check(path: Path) -> None:
    """Refuse, before any work, a path that cannot be written or is another program's file.

    Raises:
        SnapError: naming the file.
    """
    parquet.check_writable(path)
    if path.exists() and path.stat().st_size:
        with opened(path, CLOSED) as database:
            found = database.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        known = {name for (name,) in found}
        if not known >= KEYS.keys():
            raise SnapError(f"{path}: is no database of snap-eval; name another file")


def keep(
    path: Path, table: pa.Table, scorers: Sequence[Scorer], measured: Sequence[Measured]
) -> None:
    """Add results to a DuckDB file, atomically; rows of equal `KEYS` are replaced.

    Args:
        path: the file; made if it does not exist.
        table: the correlations.
        scorers: the scorers.
        measured: the benchmarks.

    Raises:
        SnapError: the file cannot be written, or is no database of snap-eval.
    """
    check(path)
    rows = {
        "cells": [_cells(one) for one in measured],
        "measurements": [part for one in measured for part in _measurements(one)],
        "scores": [_scores(one) for one in scorers],
        "correlations": [_correlations(table)],
    }
    with parquet.replacing(path) as temporary:
        if path.exists():
            shutil.copyfile(path, temporary)
        else:
            temporary.unlink()
        with opened(temporary) as database:
            database.register("new", rows["correlations"][0])
            database.execute("CREATE TABLE IF NOT EXISTS correlations AS SELECT * FROM new LIMIT 0")
            database.execute(_TABLES)
            for name, parts in rows.items():
                database.register("new", pa.concat_tables(parts, promote_options="default"))
                same = (f'{name}."{key}" IS NOT DISTINCT FROM new."{key}"' for key in KEYS[name])
                database.execute(f"DELETE FROM {name} USING new WHERE {' AND '.join(same)}")
                database.execute(f"INSERT INTO {name} BY NAME SELECT DISTINCT * FROM new")


def opened(path: Path, settings: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file; with settings, to read it alone.

    Raises:
        SnapError: it is no DuckDB file, or another program is writing to it.
    """
    try:
        chosen = dict(CLOSED if settings is None else settings)
        return duckdb.connect(str(path), read_only=settings is not None, config=chosen)
    except duckdb.Error as error:
        reason = first_line(error)
        raise SnapError(f"{path}: not a readable DuckDB file ({reason}); name another") from error


def _cells(measured: Measured) -> pa.Table:
    columns = [name for name in _CELLS if name in measured.graphs.column_names]
    return _named(measured.graphs.select(columns), "benchmark", measured.name)


def _measurements(measured: Measured) -> list[pa.Table]:
    keys, found = measured.graphs.select(["space", "arch_id"]), []
    for metric in filter(is_metric, measured.graphs.column_names):
        rows = keys.append_column("value", measured.graphs[metric])
        rows = rows.filter(pc.is_valid(rows["value"]))
        facts = {"benchmark": measured.name, "metric": metric}
        for name, value in (facts | {"direction": measured.direction(metric)}).items():
            rows = _named(rows, name, value)
        found.append(rows)
    return found


def _scores(scorer: Scorer) -> pa.Table:
    seeds = pa.array([scorer.seed] * len(scorer.scores), pa.int64())
    return _named(scorer.scores.append_column("seed", seeds), "scorer", scorer.name)


def _correlations(table: pa.Table) -> pa.Table:
    """Return the correlations with all columns of the contract, and the condition of `--where`."""
    facts = parquet.decode_metadata(table.schema)
    if "group" not in table.column_names:
        table = table.append_column("group", pa.nulls(len(table), pa.string()))
    names = [column.name for column in contract("correlations").columns]
    by = _named(table.select(names), "by", facts.get("snap.by", ""))
    return _named(by, "where", facts.get("snap.where", ""))


def _named(table: pa.Table, name: str, value: str) -> pa.Table:
    plain = table.replace_schema_metadata(None)
    return plain.append_column(name, pa.array([value] * len(table), pa.string()))
