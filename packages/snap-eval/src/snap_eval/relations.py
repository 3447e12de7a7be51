"""Cells and scores as relations of DuckDB: joins, filters, groups and populations."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.schemas import contract
from snap_catalog.scores import NO_SCORE

from snap_eval.arrays import Bools, Floats, Ints

CLOSED: Mapping[str, Any] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # Names of variables of this program are no tables.
    "python_enable_replacements": False,
    "temp_directory": "",
}
"""Settings of a database whose SQL can read and write nothing but its own tables."""

_SECONDS = 0.1
"""Seconds between two attempts to interrupt a query."""

POPULATIONS: Mapping[str, str] = {
    "all": "true",
    "unique": "row_number() OVER (PARTITION BY part, space, cell_hash ORDER BY arch_id) = 1",
    "unique_reachable": "reachable AND row_number() OVER "
    "(PARTITION BY part, space, cell_hash, reachable ORDER BY arch_id) = 1",
}
"""The sets of cells that figures are about, as conditions on the rows of `cells_sql`."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "unique": ("cell_hash",),
    "unique_reachable": ("cell_hash", "n_dead", "nodes"),
}
"""The columns of graphs that populations are made of, which a CSV table may not have."""

Parts = dict[str | None, Ints]
"""The cells of a population by the value of `--by`; None is the only one without `--by`."""
_Answer = TypeVar("_Answer")


def cells_sql(graphs: str, where: str = "", by: str = "") -> str:
    """Return the query of the cells of a relation of graphs: its columns, `part` and `reachable`.

    Args:
        graphs: the relation.
        where: a condition on its columns, in SQL; all cells if empty.
        by: an expression in its columns, in SQL, whose value is the part of a cell; none if empty.

    Raises:
        SnapError: `where` or `by` is not one expression.
    """
    for option, expression in (("--where", where), ("--by", by)):
        with reported(option, expression):
            duckdb.SQLExpression(expression or "NULL")
    return (
        f"SELECT *, CAST(({by or 'NULL'}) AS VARCHAR) AS part, n_dead = "
        f"len(list_filter(nodes, lambda node: node = 'none')) AS reachable FROM {graphs} "
        f"WHERE ({where or 'true'})"
    )


@contextmanager
def reported(what: str, sql: str) -> Iterator[None]:
    """Report in one line what DuckDB refuses."""
    try:
        yield
    except duckdb.Error as error:
        raise SnapError(f"{what} {sql!r:.80}: {first_line(error)}; correct it") from error


def first_line(error: duckdb.Error) -> str:
    """Return the first line of what DuckDB reports; the rest points into the statement."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def interruptible(database: duckdb.DuckDBPyConnection, answer: Callable[[], _Answer]) -> _Answer:
    """Return the answer; on Ctrl-C, which DuckDB does not see, stop it and pass that on."""
    found: Future[_Answer] = Future()

    def run() -> None:
        try:
            found.set_result(answer())
        except BaseException as error:
            found.set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
        return found.result()
    except KeyboardInterrupt:
        # Ctrl-C may come while the thread starts, before which it is not alive.
        while thread in threading.enumerate():
            with suppress(KeyboardInterrupt):  # of a second Ctrl-C
                database.interrupt()
                wait([found], _SECONDS)
        raise


def fetched(database: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement, which Ctrl-C stops, and return its rows."""
    return interruptible(database, lambda: database.execute(statement).fetchall())


def average_rank(window: str) -> str:
    """Return the rank in SQL over an ordered window, ties given their average rank."""
    return f"rank() OVER ({window}) + (count(*) OVER ({window} RANGE CURRENT ROW) - 1) / 2"


class Cells:
    """The n cells of a benchmark that `--where` keeps, in the parts that `--by` makes of them.

    Args:
        graphs: (n,) a table of the `graphs` contract.
        where: as for `cells_sql`.
        by: as for `cells_sql`.

    Raises:
        SnapError: `where` or `by` is no expression in the columns, or no cell is left.
    """

    def __init__(self, graphs: pa.Table, where: str = "", by: str = "") -> None:
        self._n = len(graphs)
        self._database = duckdb.connect(config=dict(CLOSED))
        place = pa.array(np.arange(len(graphs)))
        schema = contract("graphs").schema()
        for name in NEEDED["unique_reachable"]:
            if name not in graphs.column_names:
                nothing = pa.nulls(len(graphs), schema.field(name).type)
                graphs = graphs.append_column(name, nothing)
        self._database.register("graphs", graphs.append_column("place", place))
        query = cells_sql("graphs", where, by)
        columns = "place, space, arch_id, cell_hash, part, reachable"
        with reported("--where and --by", f"{where} {by}".strip()):
            fetched(self._database, f"CREATE TABLE cells AS SELECT {columns} FROM ({query})")
        if where and not fetched(self._database, "SELECT 1 FROM cells LIMIT 1"):
            raise SnapError(f"--where {where!r:.80}: no cell meets it; correct it")
        self._known: dict[bytes, dict[str, Parts]] = {}
        self._placed: dict[int, tuple[pa.Table, Floats, Bools, Bools]] = {}

    def populations(self, chosen: Bools) -> dict[str, Parts]:
        """Return the cells of each population, by part, ascending.

        A class of cells (`cell_hash`, within a space and a part) is represented by its first chosen
        cell. In a reachable cell every operator but `none` lies on a path from input to output.

        Args:
            chosen: (n,) the cells that may be in it.
        """
        key = chosen.tobytes()
        if key not in self._known:
            self._database.register("chosen", pa.table({"place": np.flatnonzero(chosen)}))
            # A table without graphs has null for `reachable`.
            flags = ", ".join(
                f'coalesce({condition}, false) AS "{name}"'
                for name, condition in POPULATIONS.items()
            )
            rows = self._database.sql(
                f"SELECT place, part, {flags} FROM cells SEMI JOIN chosen USING (place) "
                "ORDER BY place"
            ).to_arrow_table()
            self._known[key] = {name: _parts(rows, rows[name].to_numpy()) for name in POPULATIONS}
        return self._known[key]

    def scores(self, scores: pa.Table) -> tuple[Floats, Bools, Bools]:
        """Join scores on `space` and `arch_id`.

        Args:
            scores: `space`, `arch_id` and `score`; -1e8 and infinity mean that the scorer failed.

        Returns:
            (n,) scores, NaN if there is none or the scorer failed; (n,) which cells have a row;
            (n,) on which of them the scorer failed.
        """
        if id(scores) in self._placed:
            return self._placed[id(scores)][1:]
        self._database.register("scores", scores)
        rows = self._database.sql(
            "SELECT place, score FROM scores JOIN graphs USING (space, arch_id)"
        ).to_arrow_table()
        score, found = np.full(self._n, np.nan), np.zeros(self._n, bool)
        places = rows["place"].to_numpy()
        score[places], found[places] = rows["score"].to_numpy(), True
        failed = np.isinf(score) | (score == NO_SCORE)
        score[failed] = np.nan
        self._placed[id(scores)] = scores, score, found, failed
        return score, found, failed


def _parts(rows: pa.Table, chosen: Bools) -> Parts:
    some = rows.filter(pa.array(chosen))
    codes = some["part"].combine_chunks().dictionary_encode("encode")
    number, places = codes.indices.to_numpy(), some["place"].to_numpy()
    names = codes.dictionary.to_pylist() or [None]
    found = {name: places[number == i] for i, name in enumerate(names)}
    return dict(sorted(found.items(), key=lambda item: (item[0] is not None, item[0] or "")))
