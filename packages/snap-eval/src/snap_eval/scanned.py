"""Correlations over files that do not fit into memory: DuckDB scans, joins and ranks them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import duckdb
import numpy as np
from snap_catalog import SnapError
from snap_catalog.scores import NO_SCORE

from snap_eval.large import LARGE, Relation
from snap_eval.measured import Measured
from snap_eval.plain import quoted
from snap_eval.relations import CLOSED, POPULATIONS, average_rank, cells_sql, fetched, reported
from snap_eval.resampling import fisher
from snap_eval.scorers import Scorer
from snap_eval.statistics import Statistic, known

_MEMORY = "1GB"
"""What DuckDB may use before it writes to the disk."""
_RANKED = ("score", "measured")
_KEY = "hash(space, arch_id)"
"""Stands for a cell, in less memory than its name takes."""


class Scan:
    """A scanned benchmark, in a database that writes to the disk what exceeds its memory.

    Args:
        measured: the benchmark.
        relation: its rows.
        groups: the scorers by name. SQL reads their files and the benchmark's, and no others.
        statistics: what to compute.
        where: as for `cells_sql`.
        by: as for `cells_sql`.
        intervals: whether to compute intervals.

    Raises:
        SnapError: a statistic has no `sql`, a scorer has several seeds, a cell has several rows,
            `where` or `by` is wrong, or no cell is left.
    """

    def __init__(
        self,
        measured: Measured,
        relation: Relation,
        groups: Mapping[str, Sequence[Scorer]],
        statistics: Sequence[Statistic],
        where: str,
        by: str,
        *,
        intervals: bool,
    ) -> None:
        _refuse(statistics, groups, measured.source)
        scans = [model.scan for models in groups.values() for model in models if model.scan]
        files = [file for scan in (relation, *scans) for file in scan.files]
        settings: dict[str, Any] = {
            "enable_external_access": True,
            "memory_limit": _MEMORY,
            "preserve_insertion_order": False,
            # DuckDB makes this folder when it needs it, and removes it.
            "temp_directory": str(Path(gettempdir(), f"snap-eval-{uuid4().hex}")),
        }
        self._database = duckdb.connect(config={**CLOSED, **settings})
        self._database.execute("SET allowed_paths = $files", {"files": files})
        for setting in ("enable_external_access = false", "enable_progress_bar = false"):
            self._database.execute(f"SET {setting}")
        self._database.execute("SET lock_configuration = true")
        self._measured, self._groups, self._statistics = measured, groups, statistics
        self._cells = cells_sql(relation.sql, where, by)
        self._options = f"{where} {by}".strip()
        self._intervals = intervals
        self._unique: set[tuple[str, str]] = set()
        self._refuse_repeated(relation.sql, measured.source)
        with reported("--where and --by", self._options):
            some = fetched(self._database, f"SELECT 1 FROM ({self._cells}) LIMIT 1")
        if where and not some:
            raise SnapError(f"--where {where!r:.80}: no cell meets it; correct it")

    def rows(
        self,
        metric: str,
        direction: int,
        populations: Collection[str],
        signs: Sequence[int],
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of scorers: one per scorer, sign, population, part and statistic.

        Args:
            metric: the metric.
            direction: -1 if less of it is better, else 1.
            populations: keys of `POPULATIONS`.
            signs: 1, and -1 to judge the scores negated as well.

        Raises:
            SnapError: a scorer has a cell twice, or the metric is infinite.
        """
        for name, (model,) in self._groups.items():
            self._join(model, quoted(metric), direction, populations)
            if not self._fetched("SELECT 1 FROM cells WHERE found LIMIT 1"):
                continue
            for population, sign in product(populations, signs):
                facts = {
                    "scorer": name,
                    "sign": sign,
                    "seeds": [] if model.seed is None else [model.seed],
                    "population": population,
                }
                for row in self._figures(population, sign):
                    yield facts | row

    def _join(
        self, scorer: Scorer, metric: str, direction: int, populations: Collection[str]
    ) -> None:
        """Make the table of the measured cells with the scores that they have."""
        self._database.register("small", scorer.scores)
        scores = scorer.scan.sql if scorer.scan else "small"
        self._refuse_repeated(scores, scorer.source)
        flags = ", ".join(f'{POPULATIONS[name]} AS "{name}"' for name in populations)
        with reported("--where and --by", self._options):
            self._fetched(
                f"CREATE OR REPLACE TABLE cells AS SELECT part, {flags}, "
                f"{direction} * {metric} AS measured, coalesce(found, false) AS found, "
                f"CASE WHEN isfinite(score) AND score <> {NO_SCORE} THEN score END AS score "
                f"FROM ({self._cells}) LEFT JOIN (SELECT space, arch_id, score, "
                f"true AS found FROM {scores} WHERE score IS NOT NULL) USING (space, arch_id) "
                f"WHERE {metric} IS NOT NULL AND NOT isnan({metric})"
            )
        if self._fetched("SELECT 1 FROM cells WHERE isinf(measured) LIMIT 1"):
            raise SnapError(f"{self._measured.source}: {metric} is infinite; leave it empty")

    def _figures(self, population: str, sign: int) -> Iterator[dict[str, Any]]:
        scored = (
            f"SELECT part, {sign} * score AS score, measured FROM cells "
            f'WHERE "{population}" AND score IS NOT NULL'
        )
        columns = [str(statistic.sql) for statistic in self._statistics]
        if "_rank" in "".join(columns):
            ranks = (
                f"{average_rank(f'PARTITION BY part ORDER BY {name}')} AS {name}_rank"
                for name in _RANKED
            )
            scored = f"SELECT *, {', '.join(ranks)} FROM ({scored})"
        figures = self._fetched(
            f"SELECT part, count(*), {', '.join(columns)} FROM ({scored}) GROUP BY part"
        )
        by_part = {part: (n, values) for part, n, *values in figures}
        nothing = 0, [None] * len(self._statistics)
        for part, missing, failed in self._fetched(
            "SELECT part, count(*) FILTER (NOT found), count(*) FILTER (found AND score IS NULL) "
            f'FROM cells WHERE "{population}" GROUP BY part ORDER BY part NULLS FIRST'
        ):
            n, values = by_part.get(part, nothing)
            for statistic, value in zip(self._statistics, values, strict=True):
                facts = {"group": part, "statistic": statistic.name, "ties": statistic.ties}
                yield facts | {
                    "n": n,
                    "missing": missing,
                    "failed": failed,
                    **_interval(statistic, value, n, self._intervals),
                }

    def _fetched(self, statement: str) -> list[tuple[Any, ...]]:
        try:
            return fetched(self._database, statement)
        except duckdb.OutOfMemoryException as error:
            raise MemoryError(str(error)) from error

    def _refuse_repeated(self, relation: str, source: str) -> None:
        """Refuse a relation in which a cell has several rows; each is examined once."""
        if (relation, source) in self._unique:
            return
        repeated = f"SELECT {_KEY} FROM {relation} GROUP BY {_KEY} HAVING count(*) > 1"
        # Different cells may have one hash, so that only the cells of repeated ones are compared.
        if self._fetched(f"{repeated} LIMIT 1"):
            twice = self._fetched(
                f"SELECT space, arch_id FROM {relation} WHERE {_KEY} IN ({repeated}) "
                "GROUP BY ALL HAVING count(*) > 1 LIMIT 1"
            )
            if twice:
                space, arch_id = twice[0]
                raise SnapError(
                    f"{source}: rows share space and arch_id, as {space!r} and {arch_id!r:.80}; "
                    "they must be unique"
                )
        self._unique.add((relation, source))


def _refuse(
    statistics: Sequence[Statistic], groups: Mapping[str, Sequence[Scorer]], source: str
) -> None:
    """Refuse statistics and scorers whose cells must fit into memory.

    Raises:
        SnapError: a statistic has no `sql`, or a scorer has several seeds.
    """
    scanned = f"{source}: has more than {LARGE:,} rows, of which"
    missing = [statistic.name for statistic in statistics if statistic.sql is None]
    if missing:
        able = " and ".join(one.name for one in known().values() if one.sql)
        raise SnapError(
            f"{scanned} only {able} can be computed, not {', '.join(missing)}; choose among these "
            "by --statistic, or give a file of fewer rows"
        )
    several = [name for name, models in groups.items() if len(models) > 1]
    if several:
        raise SnapError(
            f"{scanned} only scores of one seed can be judged, but {several[0]!r} has several; "
            "give one of them"
        )


def _interval(statistic: Statistic, value: float | None, n: int, wanted: bool) -> dict[str, Any]:
    defined = value is not None and not np.isnan(value)
    found: dict[str, Any] = {"value": value if defined else None, "deviation": None}
    if not wanted or not defined or value is None or statistic.size_error is None:
        return found | {"low": None, "high": None, "interval": "none"}
    low, high = fisher(value, statistic.size_error(value, n))
    return found | {"low": float(low), "high": float(high), "interval": "closed form over cells"}
