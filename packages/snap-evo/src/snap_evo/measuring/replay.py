"""Replay searches that measure on a table of measurements, so that they can be compared."""

import time
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.metrics import oriented
from snap_catalog.parquet import read
from snap_graphs import Cell, Space
from snap_graphs.spaces import ProductSpace

from snap_evo.costs import cell_graphs
from snap_evo.measuring.interfaces import Observations
from snap_evo.measuring.proposers import Start, start_proposer
from snap_evo.measuring.proposers.pool import Feasible
from snap_evo.measuring.table_space import TableSpace
from snap_evo.objectives import Floats, excess
from snap_evo.scorers import Scorer, TableScorer
from snap_evo.search_options import ScoredSearch, SearchOptions

_SHARE = 0.001
"""Share of a table's architectures that are its top."""


class Goal(NamedTuple):
    """The values to find in a table, higher is better.

    Attributes:
        best: the best value.
        top: the lowest value of the best 0.1 % of the architectures, whose number is rounded up.
    """

    best: float
    top: float


class Replayed(NamedTuple):
    """The measurements of a search.

    Attributes:
        graphs: n rows of the `graphs` contract, in the order of measuring.
        values: (n,) values, higher is better; NaN if the table has none.
        seconds: time of the search.
    """

    graphs: pa.Table
    values: Floats
    seconds: float


@dataclass(frozen=True)
class Replay:
    """A search that measures in a table.

    Attributes:
        search: its space, scorer, algorithm, seed and limits.
        file: the `graphs.parquet` file.
        column: its metric.
        surrogate: learns from measurements, as `load_surrogate` reads it.
        measurements: architectures to measure; the search ends early if it finds the best.
    """

    search: ScoredSearch
    file: str
    column: str
    surrogate: str
    measurements: int

    @property
    def table(self) -> "MeasuredTable":
        """The table; read once for all seeds.

        Raises:
            SnapError: it cannot be read, or has no values of the space.
        """
        search = self.search
        space = _full_space(search.space, search.definition, search.allow_code)
        return _table(self.file, self.column, space)

    def goal(self) -> Goal:
        """Return the values to find within the limits.

        Raises:
            SnapError: the table cannot be read, or has no values of the space within the limits.
        """
        search, table, values = self.search, self.table, self.table.values
        if limits := search.limits():
            graphs = cell_graphs(table.full_space, search.network, table.cells)
            values = values[excess(graphs, limits) == 0]
        if not values.size:
            raise SnapError(f"{self.file}: no architecture keeps to the limits; widen them")
        ordered = np.sort(values)
        return Goal(float(ordered[-1]), float(ordered[-int(np.ceil(_SHARE * values.size))]))

    def run(self, scorer: Scorer) -> Replayed:
        """Search."""
        began, search, best = time.perf_counter(), self.search, self.goal().best
        table, space = self.table, self.table.space
        feasible = Feasible(space, tuple(search.limits()), search.network)
        start = Start(feasible, scorer, self.surrogate, search.seed)
        proposer = start_proposer(search.algorithm, start)
        graphs, values = cell_graphs(space, search.network, []), np.empty(0)
        none = graphs
        while len(values) < self.measurements and not (values >= best).any():
            known = Observations(graphs, values, "max", none)
            proposed = proposer.propose(known, 1)
            if not proposed.num_rows:
                break
            graphs = pa.concat_tables([graphs, proposed])
            values = np.append(values, table.look_up(proposed))
        return Replayed(graphs, values, time.perf_counter() - began)


class MeasuredTable:
    """A table of measurements of one space.

    Attributes:
        full_space: the search space, of which the table may have a part.
        metric: the metric's full name.
        direction: whether a higher (`max`) or lower (`min`) value of the metric is better.
    """

    def __init__(self, file: str, column: str, space: Space) -> None:
        self._scorer = TableScorer(file, column)
        self.metric: str = self._scorer.column
        self.direction: Direction = self._scorer.direction
        self._file, self.full_space = file, space
        found = read(file, "graphs", columns=["space", "arch_id", "cell_hash"])
        self._rows = found.filter(pc.equal(found["space"], space.name))
        self._values = self.look_up(self._rows) if self._rows.num_rows else np.empty(0)
        if not np.isfinite(self._values).any():
            raise SnapError(
                f"{file}: has no value of {column} for {space.name}; name a table of the space"
            )

    def look_up(self, graphs: pa.Table) -> Floats:
        """Return (n,) values, higher is better; NaN if there is none."""
        return oriented(self._scorer.look_up(graphs), self.direction)

    @cached_property
    def cells(self) -> list[Cell]:
        """The m cells that have a value."""
        names = self._rows["arch_id"].filter(pa.array(np.isfinite(self._values)))
        return [self.full_space.read(name) for name in names.to_pylist()]

    @property
    def values(self) -> Floats:
        """Their (m,) values, higher is better."""
        return self._values[np.isfinite(self._values)]

    @cached_property
    def space(self) -> Space:
        """The space to search, or the part of it that the table has.

        Raises:
            SnapError: cells of the space have no distances.
        """
        if self._rows.num_rows >= self.full_space.count():
            return self.full_space
        if not isinstance(self.full_space, ProductSpace):
            raise SnapError(
                f"{self._file}: has {self._rows.num_rows:,} of the {self.full_space.count():,} "
                f"cells of {self.full_space.name}; name a table that covers the search space"
            )
        return TableSpace(self.full_space, self.cells)


@lru_cache(maxsize=1)
def _full_space(name: str, definition: str | None, allow_code: bool) -> Space:
    """Return the same space for all seeds, so that what is cached by space is found again."""
    return SearchOptions(space=name, definition=definition).find_space(allow_code=allow_code)


_table = lru_cache(maxsize=1)(MeasuredTable)
