"""Correlations over files that do not fit into memory: DuckDB scans, joins and ranks them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import duckdb
import numpy as np
from snap_catalog import SnapError
from snap_catalog.scores import NO_SCORE

from snap_eval.large import LARGE
from snap_eval.measured import Measured
from snap_eval.plain import quoted
from snap_eval.relations import POPULATIONS, average_rank, cells_sql, reported
from snap_eval.resampling import fisher
from snap_eval.scorers import Scorer
from snap_eval.statistics import Statistic, known

_MEMORY = "1GB"
"""What DuckDB may use before it writes to the disk."""
_RANKED = ("score", "measured")


class Scan:
    """A scanned benchmark, in a database that uses the disk for what is too much.

    Args:
        measured: the benchmark.
        where: as for `cells_sql`.
        by: as for `cells_sql`.

    Raises:
        SnapError: a cell has several rows, or `where` or `by` is wrong.
    """

    def __init__(self, measured: Measured, where: str, by: str) -> None:
        self._database = duckdb.connect()
        self._database.execute(f"SET memory_limit = '{_MEMORY}'")
        self._database.execute("SET preserve_insertion_order = false")
        self._database.execute("SET enable_progress_bar = false")
        self._measured = measured
        self._cells = cells_sql(measured.scan, where, by)
        self._options = f"{where} {by}".strip()
        self._unique: set[tuple[str, str]] = set()
        self._refuse_repeated(measured.scan, measured.source)

    def rows(
        self,
        metric: str,
        direction: int,
        groups: Mapping[str, Sequence[Scorer]],
        statistics: Sequence[Statistic],
        populations: Collection[str],
        signs: Sequence[int],
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of scorers: one per scorer, sign, population, part and statistic.

        Args:
            metric: the metric.
            direction: -1 if less of it is better, else 1.
            groups: the scorers by name.
            statistics: what to compute.
            populations: keys of `POPULATIONS`.
            signs: 1, and -1 to judge the scores negated as well.

        Raises:
            SnapError: a statistic has no `sql`, a scorer has several seeds or a cell twice, or the
                metric is infinite.
        """
        _refuse(statistics, groups)
        for name, (model,) in groups.items():
            self._join(model, quoted(metric), direction, populations)
            for population, sign in product(populations, signs):
                facts = {
                    "scorer": name,
                    "sign": sign,
                    "seeds": [] if model.seed is None else [model.seed],
                    "population": population,
                }
                for row in self._figures(statistics, population, sign):
                    yield facts | row

    def _join(
        self, scorer: Scorer, metric: str, direction: int, populations: Collection[str]
    ) -> None:
        """Make the table of the measured cells with the scores that they have."""
        self._database.register("small", scorer.scores)
        scores = scorer.scan or "small"
        self._refuse_repeated(scores, scorer.source)
        flags = ", ".join(f'{POPULATIONS[name]} AS "{name}"' for name in populations)
        with reported("--where and --by", self._options):
            self._database.execute(
                f"CREATE OR REPLACE TABLE cells AS SELECT part, {flags}, "
                f"{direction} * {metric} AS measured, coalesce(found, false) AS found, "
                f"CASE WHEN isfinite(score) AND score <> {NO_SCORE} THEN score END AS score "
                f"FROM ({self._cells}) LEFT JOIN (SELECT space, arch_id, score::DOUBLE AS score, "
                f"true AS found FROM {scores} WHERE score IS NOT NULL) USING (space, arch_id) "
                f"WHERE {metric} IS NOT NULL AND NOT isnan({metric})"
            )
        if self._rows("SELECT 1 FROM cells WHERE isinf(measured) LIMIT 1"):
            raise SnapError(f"{self._measured.source}: {metric} is infinite; leave it empty")

    def _figures(
        self, statistics: Sequence[Statistic], population: str, sign: int
    ) -> Iterator[dict[str, Any]]:
        scored = (
            f"SELECT part, {sign} * score AS score, measured FROM cells "
            f'WHERE "{population}" AND score IS NOT NULL'
        )
        columns = [str(statistic.sql) for statistic in statistics]
        if "_rank" in "".join(columns):
            ranks = (
                f"{average_rank(f'PARTITION BY part ORDER BY {name}')} AS {name}_rank"
                for name in _RANKED
            )
            scored = f"SELECT *, {', '.join(ranks)} FROM ({scored})"
        figures = self._rows(
            f"SELECT part, count(*), {', '.join(columns)} FROM ({scored}) GROUP BY part"
        )
        by_part = {part: (n, values) for part, n, *values in figures}
        nothing = 0, [None] * len(statistics)
        for part, missing, failed in self._rows(
            "SELECT part, count(*) FILTER (NOT found), count(*) FILTER (found AND score IS NULL) "
            f'FROM cells WHERE "{population}" GROUP BY part ORDER BY part NULLS FIRST'
        ):
            n, values = by_part.get(part, nothing)
            for statistic, value in zip(statistics, values, strict=True):
                facts = {"group": part, "statistic": statistic.name, "ties": statistic.ties}
                yield facts | {
                    "n": n,
                    "missing": missing,
                    "failed": failed,
                    **_interval(statistic, value, n),
                }

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query).fetchall()
        except duckdb.OutOfMemoryException as error:
            raise MemoryError(str(error)) from error

    def _refuse_repeated(self, relation: str, source: str) -> None:
        """Refuse a relation in which a cell has several rows; each is examined once."""
        if (relation, source) in self._unique:
            return
        keys = f"SELECT hash(space, arch_id) AS key FROM {relation}"
        twice = self._rows(f"SELECT key FROM ({keys}) GROUP BY key HAVING count(*) > 1 LIMIT 1")
        if twice:
            raise SnapError(f"{source}: rows share space and arch_id; they must be unique")
        self._unique.add((relation, source))


def _refuse(statistics: Sequence[Statistic], groups: Mapping[str, Sequence[Scorer]]) -> None:
    """Refuse statistics and scorers whose cells must fit into memory.

    Raises:
        SnapError: a statistic has no `sql`, or a scorer has several seeds.
    """
    missing = [statistic.name for statistic in statistics if statistic.sql is None]
    if missing:
        able = ", ".join(one.name for one in known().values() if one.sql)
        raise SnapError(
            f"{', '.join(missing)}: not in SQL, as files of more than {LARGE:,} rows need; choose "
            f"--statistic of {able}"
        )
    several = [name for name, models in groups.items() if len(models) > 1]
    if several:
        raise SnapError(f"{several[0]}: several seeds of more than {LARGE:,} rows; give one")


def _interval(statistic: Statistic, value: float | None, n: int) -> dict[str, Any]:
    defined = value is not None and not np.isnan(value)
    found: dict[str, Any] = {"value": value if defined else None, "deviation": None}
    if not defined or value is None or statistic.size_error is None:
        return found | {"low": None, "high": None, "interval": "none"}
    low, high = fisher(value, statistic.size_error(value, n))
    return found | {"low": float(low), "high": float(high), "interval": "closed form over cells"}
