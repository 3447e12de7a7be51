"""Architectures to choose from: within the limits of a search, and no two that compute the same."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from statistics import mean

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog.metrics import oriented
from snap_graphs import Cell, Graphs, Space
from snap_graphs.hashing import graph_hashes
from snap_graphs.structure import pruned
from snap_graphs.views import contracted

from snap_evo.costs import cell_graphs
from snap_evo.measuring.interfaces import Observations
from snap_evo.objectives import Limit, excess

Bools = npt.NDArray[np.bool_]

_MOST_LISTED = 20_000
"""Cells of a space up to which all of them are listed; more would take longer than a minute."""
_AT_A_TIME = 5000
_MOST_PARALLEL = 4
"""Parallel edges of which more count as this many, so that no cell grows out of bounds."""


class Pool:
    """Architectures within the limits, of each function the first that was added.

    Attributes:
        graphs: n rows of the `graphs` contract.
        functions: what each computes, as `functions` returns it.
    """

    def __init__(self, home: Space, limits: Sequence[Limit], network: str | None) -> None:
        """Start without any.

        Args:
            home: the search space.
            limits: what architectures may cost.
            network: whose costs are meant; the benchmark's own where None.
        """
        self._home, self._limits, self._network = home, limits, network
        self.graphs = cell_graphs(home, network, [])
        self.functions: list[str] = []

    def with_cells(self, cells: Iterable[Cell]) -> "Pool":
        """Return a pool with further cells at its end."""
        wider = Pool(self._home, self._limits, self._network)
        graphs = cell_graphs(self._home, self._network, list(cells))
        graphs = graphs.filter(pa.array(excess(graphs, self._limits) == 0))
        known, rows = set(self.functions), dict[str, int]()
        for row, function in enumerate(functions(graphs)):
            if function not in known:
                rows.setdefault(function, row)
        wider.graphs = pa.concat_tables(
            [self.graphs, graphs.take(np.array([*rows.values()], np.int64))]
        )
        wider.functions = [*self.functions, *rows]
        return wider

    def free(self, taken: Iterable[str]) -> Bools:
        """Return (n,) whether architectures compute none of some functions."""
        wanted = set(taken)
        return np.array([function not in wanted for function in self.functions], np.bool_)

    def cells(self, rows: Iterable[int]) -> list[Cell]:
        """Return the cells of some rows."""
        return [self._home.read(str(self.graphs["arch_id"][row])) for row in rows]


def functions(graphs: pa.Table) -> list[str]:
    """Return for n rows of the `graphs` contract what equals where they compute the same.

    That is so where they are isomorphic once dead operators are removed and identities are edges.
    """
    live = pruned(Graphs.from_table(graphs))
    return graph_hashes(contracted(live, graphs["space"], _MOST_PARALLEL))


class Functions:
    """Returns what `functions` does, computing it once for each architecture of a space."""

    def __init__(self) -> None:
        """Start without any."""
        self._known: dict[str, str] = {}

    def __call__(self, graphs: pa.Table) -> list[str]:
        """Return (n,) the functions of n rows of the `graphs` contract."""
        names = graphs["arch_id"].to_pylist()
        new = {name: row for row, name in enumerate(names) if name not in self._known}
        if new:
            found = functions(graphs.take([*new.values()]))
            self._known.update(zip(new, found, strict=True))
        return [self._known[name] for name in names]

    def values(self, known: Observations) -> dict[str, float]:
        """Return what was measured by function, the mean where that was more than once.

        More is better; -inf where every measurement failed.
        """
        better = oriented(known.values, known.direction)
        found: dict[str, list[float]] = {}
        for function, value in zip(self(known.graphs), better.tolist(), strict=True):
            found.setdefault(function, []).extend([value] if np.isfinite(value) else [])
        return {name: mean(values) if values else -np.inf for name, values in found.items()}


def is_listed(home: Space) -> bool:
    """Return whether a space is small enough for all its cells to be in a pool."""
    return home.enumerable and home.count() <= _MOST_LISTED


@lru_cache(maxsize=1)
def listed(home: Space, limits: tuple[Limit, ...], network: str | None) -> Pool:
    """Return all of a space; remembered, as searches of several seeds share it."""
    pool, cells = Pool(home, limits, network), home.enumerate()
    while part := list(islice(cells, _AT_A_TIME)):
        pool = pool.with_cells(part)
    return pool
