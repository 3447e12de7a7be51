"""Vectors of operators, and the search for those that a table of graphs needs."""

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata
from snap_graphs import Graphs
from snap_graphs.arrays import Ints

Key = tuple[str | None, str]


@dataclass(frozen=True)
class Vocabulary:
    """Operators and their vectors.

    Attributes:
        table: rows of the `operators` contract.
        rows: (space, operator) -> row; space is None for an operator of no particular one.
        vectors: (rows, d) embeddings.
    """

    table: pa.Table
    rows: dict[Key, int]
    vectors: npt.NDArray[np.float32]

    @classmethod
    def from_table(cls, table: pa.Table) -> "Vocabulary":
        """Index a table of the `operators` contract."""
        keys = zip(table["space"].to_pylist(), table["op"].to_pylist(), strict=True)
        column = table["embedding"].combine_chunks()
        vectors = column.flatten().to_numpy().reshape(len(column), column.type.list_size)
        return cls(table, {key: row for row, key in enumerate(keys)}, vectors.astype(np.float32))

    def encoder(self) -> str | None:
        """Return the SHA-256 of the sentence encoder that made the vectors."""
        return decode_metadata(self.table.schema).get("snap.model_sha256")

    def extended(self, other: "Vocabulary", source: str) -> "Vocabulary":
        """Add another table's operators, which take precedence.

        Raises:
            SnapError: another encoder made the other table's vectors.
        """
        if other.encoder() != self.encoder() or other.vectors.shape[1] != self.vectors.shape[1]:
            mine, theirs = (decode_metadata(t.schema) for t in (self.table, other.table))
            raise SnapError(
                f"{source}: made by encoder {theirs.get('snap.model')} "
                f"({other.vectors.shape[1]} dimensions), but the predictor reads vectors of "
                f"{mine.get('snap.model')} ({self.vectors.shape[1]} dimensions); "
                f"run: snap-encode --model {mine.get('snap.model')} OPS"
            )
        old = [row for key, row in self.rows.items() if key not in other.rows]
        merged = pa.concat_tables([self.table.take(old), other.table.cast(self.table.schema)])
        return Vocabulary.from_table(merged)

    def find(self, table: pa.Table, graphs: Graphs, source: str) -> Ints:
        """Return (nodes,) the row of every node's operator.

        An operator is looked up in its graph's space first, then among those of no space.

        Raises:
            SnapError: an operator has no vector.
        """
        homes = table["space"].combine_chunks().dictionary_encode()
        home = np.repeat(homes.indices.to_numpy(), graphs.sizes).astype(np.int64)
        pairs, inverse = np.unique(home * len(graphs.vocabulary) + graphs.op, return_inverse=True)
        rows = [
            self._row(homes.dictionary[pair // len(graphs.vocabulary)].as_py(), name, source)
            for pair in pairs
            for name in [graphs.vocabulary[pair % len(graphs.vocabulary)]]
        ]
        return np.array(rows, np.int64)[inverse]

    def _row(self, space: str, name: str, source: str) -> int:
        row = self.rows.get((space, name), self.rows.get((None, name)))
        if row is None:
            known = sorted({op for home, op in self.rows if home in (space, None)})
            known = known or sorted({op for _, op in self.rows})
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
            raise SnapError(
                f"{source}: no vector for operator {name!r} of space {space!r} (nearest known: "
                f"{', '.join(near)}); describe it in a file, run: snap-encode FILE, "
                "and pass the result with --operators"
            )
        return row

    def distances(self, trained: list[Key]) -> npt.NDArray[np.float64]:
        """Return (rows,) one minus the cosine to the nearest of the operators trained on."""
        norms = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        unit = (self.vectors / np.maximum(norms, 1e-12)).astype(np.float64)
        seen = unit[[self.rows[key] for key in trained]]
        nearest: npt.NDArray[np.float64] = (unit @ seen.T).max(axis=1)
        return np.maximum(1 - nearest, 0)


def keys_of(table: pa.Table, rows: Any) -> list[Key]:
    """Return the (space, operator) pairs of some rows of an operator table."""
    taken = table.take(np.unique(rows))
    return list(zip(taken["space"].to_pylist(), taken["op"].to_pylist(), strict=True))
