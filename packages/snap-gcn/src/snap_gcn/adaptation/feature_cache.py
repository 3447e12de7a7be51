"""Cache the features of architectures for repeated predictions."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from snap_graphs.arrays import Ints
from snap_graphs.hashing import mix

from snap_gcn.adaptation.adaptation import SAMPLE, Inputs, Scale, examined, features_of, usable
from snap_gcn.adaptation.features import Features, operators_in
from snap_gcn.adaptation.surrogate import Points
from snap_gcn.data.architectures import spaces_of
from snap_gcn.data.arrays import evenly_spaced
from snap_gcn.data.hashing import combined, row_keys
from snap_gcn.model import prior
from snap_gcn.predictor import Predictor

_READ = ("space", "nodes", "src", "dst", *prior.COLUMNS)
"""Columns of the `graphs` contract that the features depend on."""
_MOST = 65_536
"""Most architectures in a cache."""


class FeatureCache:
    """Features of architectures, by the contents of their rows.

    The tables given first determine which operators and costs are features, and their scale.
    """

    def __init__(
        self, predictor: Predictor, known: pa.Table, before: "FeatureCache | None"
    ) -> None:
        """Choose the features by up to 2,000 known rows, and those of an earlier cache, if any."""
        self._predictor, self._seen = predictor, known.num_rows
        operators = operators_in(known)
        if before is not None:
            operators = sorted({*operators, *before._inputs.operators})
            known = together([known, before._sample])
        self._sample: pa.Table = known.take(evenly_spaced(known.num_rows, SAMPLE))
        found = examined(predictor, self._sample, spaces_of(known))
        self._inputs: Inputs = Inputs(operators, usable(found.keys, self._sample))
        features = features_of(found, self._sample, self._inputs)
        self._scale = Scale.of(features)
        self._features: Features = {name: values[:0] for name, values in features.items()}
        self._by_content: dict[tuple[int, bytes | None], int] = {}
        self._by_network: dict[int, int] = {}

    def covers(self, graphs: pa.Table) -> bool:
        """Return whether rows fit into this cache; if not, they need another one."""
        known = set(operators_in(graphs)) <= set(self._inputs.operators)
        enough = 2 * self._seen >= min(graphs.num_rows, SAMPLE)
        return known and enough and len(self._by_content) <= _MOST

    def rows(self, graphs: pa.Table) -> Ints:
        """Compute the features of those of n architectures that are not in the cache.

        Returns (n,) rows for `points`; equal networks with equal costs share one.

        Raises:
            SnapError: an operator has no vector, or a cost that is a feature is missing.
        """
        texts = (graphs.schema.metadata or {}).get(b"snap.operators")
        keys = [(key, texts) for key in row_keys(graphs, _READ)]
        first = {
            key: row for row, key in reversed([*enumerate(keys)]) if key not in self._by_content
        }
        if first:
            new = self._added(graphs.take([*first.values()]))
            self._by_content.update(zip(first, new, strict=True))
        return np.array([self._by_content[key] for key in keys], np.int64)

    def points(self, rows: Ints) -> Points:
        """Return the standardised features of rows, as returned by `rows`."""
        return self._scale({name: values[rows] for name, values in self._features.items()})

    def _added(self, graphs: pa.Table) -> list[int]:
        """Compute the features of architectures, and return their rows."""
        source = spaces_of(graphs)
        found = examined(self._predictor, graphs, source)
        features = features_of(found, graphs, self._inputs, source=source)
        costs = (np.ascontiguousarray(graphs[name].to_numpy()) for name in self._inputs.costs)
        networks = combined([found.keys, *(mix(values.view(np.uint64)) for values in costs)])
        rows = [self._by_network.setdefault(k, len(self._by_network)) for k in networks.tolist()]
        count = len(self._features["score"])
        new, first = np.unique(rows, return_index=True)
        self._features = {
            name: np.concatenate([self._features[name], values[first[new >= count]]])
            for name, values in features.items()
        }
        return rows


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Concatenate the columns that features depend on, of tables of the `graphs` contract."""
    parts = [table.select([n for n in _READ if n in table.column_names]) for table in tables]
    return pa.concat_tables(parts, promote_options="permissive")
