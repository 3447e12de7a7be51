"""Architectures as an adaptation sees them, each described once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from snap_gcn.adaptation.adaptation import (
    SAMPLE,
    Inputs,
    Scale,
    evenly,
    examined,
    features_of,
    usable,
)
from snap_gcn.adaptation.features import Features, operators_in
from snap_gcn.adaptation.surrogate import Points
from snap_gcn.data.architectures import spaces_of
from snap_gcn.data.contents import contents
from snap_gcn.data.equality import combined
from snap_gcn.model import prior
from snap_gcn.predictor import Predictor

Ints = npt.NDArray[np.int64]

_READ = ("space", "nodes", "src", "dst", *prior.COLUMNS)
"""Columns of the `graphs` contract that decide how an architecture is described."""
_MOST = 65_536
"""Architectures that are kept."""


class Described:
    """Features of architectures, kept by what their rows hold.

    The first tables decide which operators and costs are looked at, and the scale of the features.
    """

    def __init__(self, predictor: Predictor, known: pa.Table, before: "Described | None") -> None:
        """Choose how to describe architectures.

        Args:
            predictor: examines them.
            known: rows of the `graphs` contract, of which 2,000 at most are looked at.
            before: descriptions that did not cover these rows, whose own are looked at too.

        Raises:
            SnapError: an operator of a graph for which the members count has no vector.
        """
        self._predictor, self._seen = predictor, known.num_rows
        operators = operators_in(known)
        if before is not None:
            operators = sorted({*operators, *before._inputs.operators})
            known = together([known, before._sample])
        self._sample: pa.Table = evenly(known, SAMPLE)
        found = examined(predictor, self._sample, spaces_of(known))
        self._inputs: Inputs = Inputs(operators, usable(found.keys, self._sample))
        features = features_of(found, self._sample, self._inputs)
        self._scale = Scale.of(features)
        self._features: Features = {name: values[:0] for name, values in features.items()}
        self._by_content: dict[tuple[int, bytes | None], int] = {}
        self._by_network: dict[int, int] = {}

    def covers(self, graphs: pa.Table) -> bool:
        """Return whether rows fit in, or are to be described in another way."""
        known = set(operators_in(graphs)) <= set(self._inputs.operators)
        enough = 2 * self._seen >= min(graphs.num_rows, SAMPLE)
        return known and enough and len(self._by_content) <= _MOST

    def rows(self, graphs: pa.Table) -> Ints:
        """Describe the n rows of a table that were not met before.

        Returns:
            (n,) where each is in `points`; equal networks of equal costs are there once.

        Raises:
            SnapError: an operator has no vector, or costs are unknown that others have.
        """
        texts = (graphs.schema.metadata or {}).get(b"snap.operators")
        keys = [(key, texts) for key in contents(graphs, _READ).tolist()]
        first = {
            key: row for row, key in reversed([*enumerate(keys)]) if key not in self._by_content
        }
        if first:
            new = self._added(graphs.take([*first.values()]))
            self._by_content.update(zip(first, new, strict=True))
        return np.array([self._by_content[key] for key in keys], np.int64)

    def points(self, rows: Ints) -> Points:
        """Return the points of what `rows` returned."""
        return self._scale({name: values[rows] for name, values in self._features.items()})

    def _added(self, graphs: pa.Table) -> list[int]:
        """Describe architectures, and return where they are."""
        source = spaces_of(graphs)
        found = examined(self._predictor, graphs, source)
        networks = combined([found.keys, contents(graphs, self._inputs.costs)]).tolist()
        rows = [self._by_network.setdefault(key, len(self._by_network)) for key in networks]
        count = len(self._features["score"])
        new, first = np.unique(rows, return_index=True)
        features = features_of(found, graphs, self._inputs, source=source)
        self._features = {
            name: np.concatenate([self._features[name], values[first[new >= count]]])
            for name, values in features.items()
        }
        return rows


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return rows of several tables of the `graphs` contract, with what describes them."""
    wanted = [[name for name in _READ if name in table.column_names] for table in tables]
    parts = [table.select(names) for table, names in zip(tables, wanted, strict=True)]
    return pa.concat_tables(parts, promote_options="permissive")
