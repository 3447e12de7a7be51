"""Architectures to choose from: within the limits, and no two that compute the same function."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from snap_evo.objectives import Floats, Limit, excess

Bools = npt.NDArray[np.bool_]

_MOST_LISTED = 20_000
"""Spaces with more cells are not listed, which would take more than a minute."""
_AT_A_TIME = 5000
_MOST_PARALLEL = 4
"""Larger numbers of parallel edges count as this number, which bounds the size of cells."""


@dataclass(frozen=True)
class Feasible:
    """The architectures that may be proposed.

    Attributes:
        space: the search space.
        limits: what architectures may cost.
        network: the network whose costs count; the benchmark's own if None.
    """

    space: Space
    limits: tuple[Limit, ...] = ()
    network: str | None = None

    @property
    def is_listed(self) -> bool:
        """Whether the space is small enough for all its cells to be in a pool."""
        return self.space.enumerable and self.space.count() <= _MOST_LISTED

    def graphs(self, cells: Sequence[Cell]) -> pa.Table:
        """Return cells as rows of the `graphs` contract."""
        return cell_graphs(self.space, self.network, cells)

    def excess(self, graphs: pa.Table) -> Floats:
        """Return (n,) by what share of the limits rows of the `graphs` contract are beyond them."""
        return excess(graphs, self.limits)


class Pool:
    """Architectures within the limits, and of each function only the first that was added.

    Attributes:
        graphs: n rows of the `graphs` contract.
        functions: the function of each, as `functions` returns it.
    """

    def __init__(self, feasible: Feasible) -> None:
        """Start with an empty pool."""
        self._feasible = feasible
        self.graphs = feasible.graphs([])
        self.functions: list[str] = []

    def with_cells(self, cells: Iterable[Cell]) -> "Pool":
        """Return a pool with further cells at its end."""
        wider = Pool(self._feasible)
        graphs = self._feasible.graphs(list(cells))
        graphs = graphs.filter(pa.array(self._feasible.excess(graphs) == 0))
        known, rows = set(self.functions), dict[str, int]()
        for row, function in enumerate(functions(graphs)):
            if function not in known:
                rows.setdefault(function, row)
        new = graphs.take(np.array([*rows.values()], np.int64))
        wider.graphs = pa.concat_tables([self.graphs, new])
        wider.functions = [*self.functions, *rows]
        return wider

    def free(self, taken: Iterable[str]) -> Bools:
        """Return (n,) whether the function of an architecture is not among those taken."""
        wanted = set(taken)
        return np.array([function not in wanted for function in self.functions], np.bool_)

    def cells(self, rows: Iterable[int]) -> list[Cell]:
        """Return the cells of some rows."""
        return [self._feasible.space.read(str(self.graphs["arch_id"][row])) for row in rows]


def functions(graphs: pa.Table) -> list[str]:
    """Return n hashes, equal for rows of the `graphs` contract that compute the same function.

    Those are isomorphic when dead operators are removed and identities replaced by edges.
    """
    live = pruned(Graphs.from_table(graphs))
    return graph_hashes(contracted(live, graphs["space"], _MOST_PARALLEL))


class Functions:
    """Calls `functions` once per architecture of a space."""

    def __init__(self) -> None:
        """Start with an empty cache."""
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
        """Return by function the mean measured value, higher is better; -inf if all failed."""
        better = oriented(known.values, known.direction)
        found: dict[str, list[float]] = {}
        for function, value in zip(self(known.graphs), better.tolist(), strict=True):
            found.setdefault(function, []).extend([value] if np.isfinite(value) else [])
        return {name: mean(values) if values else -np.inf for name, values in found.items()}


@lru_cache(maxsize=1)
def listed(feasible: Feasible) -> Pool:
    """Return all cells of a space, cached for searches with several seeds."""
    pool, cells = Pool(feasible), feasible.space.enumerate()
    while part := list(islice(cells, _AT_A_TIME)):
        pool = pool.with_cells(part)
    return pool
