"""The vectors of operators, looked up by search space and name."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError, graph_facts, readings
from snap_catalog.parquet import decode_metadata
from snap_catalog.readings import Understood, understood
from snap_graphs import Graphs
from snap_graphs.arrays import Bools, Ints
from snap_graphs.cell import INPUT, OUTPUT

from snap_gcn.data.arrays import Floats, Singles, unit

Key = tuple[str | None, str]
"""(space, operator); space is None for an operator that belongs to no particular space."""
_COLUMNS = ("space", "op", "text", "embedding")
_MOST_LISTED = 5
"""Unknown operators that a message names."""


@dataclass(frozen=True)
class Vocabulary:
    """Operators and their vectors."""

    table: pa.Table  # rows of the `operators` contract
    rows: dict[Key, int]  # the row of each (space, operator)
    vectors: Singles  # (rows, d) embeddings

    @classmethod
    def from_table(cls, table: pa.Table) -> "Vocabulary":
        """Index a table of the `operators` contract; descriptions not read get null readings."""
        for name, kind in readings.COLUMNS.items():
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(table.num_rows, kind))
        table = table.select([*_COLUMNS, *readings.COLUMNS])
        keys = zip(table["space"].to_pylist(), table["op"].to_pylist(), strict=True)
        column = table["embedding"].combine_chunks()
        vectors = column.flatten().to_numpy().reshape(len(column), column.type.list_size)
        return cls(table, {key: row for row, key in enumerate(keys)}, vectors.astype(np.float32))

    def encoder(self) -> str | None:
        """Return the SHA-256 of the sentence encoder of the vectors."""
        return decode_metadata(self.table.schema).get("snap.model_sha256")

    def extended(self, other: "Vocabulary", source: str) -> "Vocabulary":
        """Add another table's operators, which take precedence.

        Raises:
            SnapError: the other vectors are from another encoder.
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
        kept = self.table.take(pa.array(old, pa.int64()))
        merged = pa.concat_tables([kept, other.table.cast(self.table.schema)])
        return Vocabulary.from_table(merged)

    def renamed(self, texts: Mapping[str, str]) -> pa.Table:
        """Look up descriptions, given by name.

        Returns rows of the `operators` contract, without a space, for names of known descriptions.
        """
        known = dict(zip(self.table["text"].to_pylist(), range(len(self.vectors)), strict=True))
        names = [name for name, text in texts.items() if text in known]
        alike = self.table.take(pa.array([known[texts[name]] for name in names], pa.int64()))
        columns = {
            "space": pa.nulls(len(names), pa.string()),
            "op": pa.array(names, pa.string()),
            "text": alike["text"],
            "embedding": alike["embedding"],
        }
        return pa.table(columns).replace_schema_metadata(self.table.schema.metadata)

    def understood(self, rows: Iterable[int], own: "Vocabulary") -> list[Understood]:
        """Return the readings of some rows, except operators that `own` describes identically."""
        table = self.table.take(pa.array(sorted(rows), pa.int64()))
        pairs = zip(table["op"].to_pylist(), table["text"].to_pylist(), strict=True)
        new = pa.array([not own.describes(name, text) for name, text in pairs], pa.bool_())
        return list(dict.fromkeys(understood(table.filter(new))))

    def unread(self) -> pa.Table:
        """Return the table without readings, as a newly trained model stores it."""
        return self.table.select(_COLUMNS)

    def is_read(self) -> bool:
        """Return whether any description was read."""
        return bool(self.table["reading"].null_count < self.table.num_rows)

    def describes(self, name: str, text: str) -> bool:
        """Return whether an operator that was not read has this name and description."""
        return (name, text) in self._described

    @cached_property
    def _described(self) -> frozenset[tuple[str, str]]:
        plain = self.table.filter(self.table["reading"].is_null())
        return frozenset(zip(plain["op"].to_pylist(), plain["text"].to_pylist(), strict=True))

    def knows_end(self, name: str) -> bool:
        """Return whether a name is `input` or `output`, which users cannot redefine."""
        return name in (INPUT, OUTPUT) and name in self._anywhere

    def text(self, key: Key) -> str | None:
        """Return the description of an operator; None if it is unknown."""
        row = self.rows.get(key)
        return None if row is None else str(self.table["text"][row])

    def find(self, spaces: pa.ChunkedArray, graphs: Graphs, source: str) -> Ints:
        """Look up (nodes,) the row of each node's operator, given (graphs,) their spaces.

        An operator is looked up in its graph's space first, then among operators without a space;
        `input` and `output` are finally looked up in any space.

        Raises:
            SnapError: an operator has no vector.
        """
        count = len(graphs.vocabulary)
        names = spaces.combine_chunks().dictionary_encode()
        pairs = np.repeat(names.indices.to_numpy(), graphs.sizes).astype(np.int64) * count
        pairs += graphs.op
        present = np.flatnonzero(np.bincount(pairs))
        keys = [
            (names.dictionary[pair // count].as_py(), graphs.vocabulary[pair % count])
            for pair in present.tolist()
        ]
        rows = np.zeros(present.max(initial=-1) + 1, np.int64)
        found = [self.rows.get(key, self._anywhere.get(key[1], -1)) for key in keys]
        if unknown := [key for key, row in zip(keys, found, strict=True) if row < 0]:
            raise UnknownOperatorError(self, unknown, source)
        rows[present] = found
        return rows[pairs]

    def reads_identity(self, spaces: pa.ChunkedArray) -> Bools:
        """Return (graphs,) whether the identity operator of each graph's space has a vector."""
        names = spaces.combine_chunks().dictionary_encode()
        known = [
            (space, name) in self.rows or name in self._anywhere
            for space in names.dictionary.to_pylist()
            for name in [graph_facts(space).identity]
        ]
        found: Bools = np.array(known, np.bool_)[names.indices.to_numpy()]
        return found

    def rows_of(self, trained: Sequence[Key], source: str) -> list[int]:
        """Return the rows of the operators that a model was trained on.

        Raises:
            SnapError: an operator has no vector; `source` names the model.
        """
        missing = [key for key in trained if key not in self.rows]
        if missing:
            space, name = missing[0]
            raise SnapError(
                f"{source}: config.json names operator {name!r} of space {space!r}, but "
                "operators.parquet has no vector of it; get or train the model again"
            )
        return [self.rows[key] for key in trained]

    @cached_property
    def _anywhere(self) -> dict[str, int]:
        """The rows of operators without a space, and of `input` and `output` in any space."""
        return {
            name: row
            for (space, name), row in sorted(self.rows.items(), key=lambda item: item[0][0] is None)
            if space is None or name in (INPUT, OUTPUT)
        }

    def nearest(self, key: Key) -> list[str]:
        """Return up to three known operators whose names are most like that of an unknown one."""
        wanted, name = key
        known = {op for space, op in self.rows if space in (wanted, None)}
        known = known or {op for _, op in self.rows}
        return difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.0)

    def kept(self, original: "Vocabulary") -> Bools:
        """Return (rows,) whether each operator has the same vector in another vocabulary."""
        kept = np.zeros(len(self.vectors), np.bool_)
        for key in self.rows.keys() & original.rows.keys():
            row = self.rows[key]
            kept[row] = np.array_equal(self.vectors[row], original.vectors[original.rows[key]])
        return kept

    def distances(self, trained: Singles) -> Floats:
        """Return (rows,) one minus the cosine to the nearest of (n, d) vectors trained on."""
        nearest: Floats = (unit(self.vectors) @ unit(trained).T).max(axis=1)
        return np.maximum(1 - nearest, 0)


class UnknownOperatorError(SnapError):
    """Graphs contain operators that have no vector."""

    def __init__(
        self, vocabulary: Vocabulary, unknown: Sequence[Key], source: str, hint: str = ""
    ) -> None:
        """Write a message with the unknown operators, the nearest known ones, and the remedy."""
        self.vocabulary, self.unknown, self.source = vocabulary, list(unknown), source
        text = "; ".join(
            f"no vector for operator {name!r} of space {space!r} "
            f"(nearest known: {', '.join(vocabulary.nearest((space, name)))})"
            for space, name in unknown[:_MOST_LISTED]
        )
        more = len(unknown) - _MOST_LISTED
        model = decode_metadata(vocabulary.table.schema).get("snap.model")
        super().__init__(
            f"{source}: {text}{f'; and {more} more' if more > 0 else ''}{hint}; describe each on a "
            f"line NAME<TAB>SENTENCE of ops.txt, run: snap-encode ops.txt --model {model}, "
            "and pass --operators ops.parquet; or describe it in the definition of its cells"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return UnknownOperatorError, (self.vocabulary, self.unknown, self.source)


def keys_of(table: pa.Table, rows: Any) -> list[Key]:
    """Return the (space, operator) pairs of some rows of an operator table."""
    taken = table.take(np.unique(rows))
    return list(zip(taken["space"].to_pylist(), taken["op"].to_pylist(), strict=True))
