"""Hold graphs as flat arrays, and as batches of dense adjacency matrices."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from snap_graphs.cell import Cell

_MOST_ENTRIES = 2**22
"""Maximum number of matrix entries in memory."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Dense(NamedTuple):
    """Graphs of one size.

    Attributes:
        rows: (b,) their positions among all graphs.
        op: (b, n) operators, as indices into the vocabulary.
        adjacency: (b, n, n) true where an edge leads from the second axis to the third.
    """

    rows: Ints
    op: Ints
    adjacency: Bools


@dataclass(frozen=True)
class Graphs:
    """A batch of graphs with concatenated nodes and edges.

    Attributes:
        vocabulary: the operator names.
        op: (nodes,) operator of every node, an index into the vocabulary.
        node_start: (graphs + 1,) where each graph's nodes begin.
        src: (edges,) source of every edge, counted within its graph.
        dst: (edges,) target of every edge, counted within its graph.
        edge_start: (graphs + 1,) where each graph's edges begin.
    """

    vocabulary: tuple[str, ...]
    op: Ints
    node_start: Ints
    src: Ints
    dst: Ints
    edge_start: Ints

    def __len__(self) -> int:
        return len(self.node_start) - 1

    @classmethod
    def from_table(cls, table: pa.Table) -> "Graphs":
        """Read the graphs from the columns `nodes`, `src` and `dst` of a table."""
        words = pc.list_flatten(table["nodes"]).combine_chunks().dictionary_encode()
        return cls(
            vocabulary=tuple(words.dictionary.to_pylist()),
            op=words.indices.to_numpy().astype(np.int64),
            node_start=_starts(table["nodes"]),
            src=pc.list_flatten(table["src"]).to_numpy().astype(np.int64),
            dst=pc.list_flatten(table["dst"]).to_numpy().astype(np.int64),
            edge_start=_starts(table["src"]),
        )

    @classmethod
    def from_dense(cls, vocabulary: tuple[str, ...], op: Ints, adjacency: Bools) -> "Graphs":
        """Concatenate graphs of one size.

        Args:
            vocabulary: the operator names.
            op: (b, n) operators, as indices into the vocabulary.
            adjacency: (b, n, n) true where an edge leads from the second axis to the third.
        """
        count, size = op.shape
        graph, src, dst = np.nonzero(adjacency)
        ends = np.searchsorted(graph, np.arange(count + 1))
        starts = np.arange(count + 1) * size
        return cls(vocabulary, op.ravel(), starts, src, dst, ends.astype(np.int64))

    def cells(self) -> Iterator[Cell]:
        """Yield every graph as a cell, with edges sorted by source and target."""
        op, src, dst = self.op.tolist(), self.src.tolist(), self.dst.tolist()
        nodes = itertools.pairwise(self.node_start.tolist())
        for (a, b), (c, d) in zip(nodes, itertools.pairwise(self.edge_start.tolist()), strict=True):
            names = tuple(self.vocabulary[i] for i in op[a:b])
            yield Cell(names, tuple(sorted(zip(src[c:d], dst[c:d], strict=True))))

    def edges(self) -> tuple[Ints, Ints, Ints]:
        """Return each edge's graph, and its source and target among the nodes of all graphs."""
        row = np.repeat(np.arange(len(self)), np.diff(self.edge_start))
        first = self.node_start[row]
        return row, first + self.src, first + self.dst

    def nodes_of(self, rows: Ints) -> Ints:
        """Return the positions of the nodes of some graphs among all nodes."""
        return expand(self.node_start, rows)[1]

    def take(self, rows: Ints) -> "Graphs":
        """Return some of the graphs."""
        edges = expand(self.edge_start, rows)[1]
        return Graphs(
            vocabulary=self.vocabulary,
            op=self.op[self.nodes_of(rows)],
            node_start=_cumulated(np.diff(self.node_start)[rows]),
            src=self.src[edges],
            dst=self.dst[edges],
            edge_start=_cumulated(np.diff(self.edge_start)[rows]),
        )

    def parts(self, nodes: int) -> Iterator["Graphs"]:
        """Yield consecutive graphs in parts.

        Args:
            nodes: approximate number of nodes per part.
        """
        breaks = np.flatnonzero(np.diff(self.node_start[:-1] // nodes)) + 1
        for first, last in itertools.pairwise([0, *breaks.tolist(), len(self)]):
            begin, end = self.node_start[[first, last]]
            start, stop = self.edge_start[[first, last]]
            yield Graphs(
                vocabulary=self.vocabulary,
                op=self.op[begin:end],
                node_start=self.node_start[first : last + 1] - begin,
                src=self.src[start:stop],
                dst=self.dst[start:stop],
                edge_start=self.edge_start[first : last + 1] - start,
            )

    @property
    def sizes(self) -> Ints:
        """(graphs,) number of nodes of every graph."""
        return np.diff(self.node_start)

    def index(self, operator: str) -> int:
        """Return the index of an operator in the vocabulary, or -1."""
        return self.vocabulary.index(operator) if operator in self.vocabulary else -1

    def keep(self, nodes: Bools, edges: Bools) -> "Graphs":
        """Return the graphs with a subset of nodes and edges.

        Args:
            nodes: (nodes,) true for nodes to keep.
            edges: (edges,) true for edges to keep; both ends of a kept edge must be kept.
        """
        row, source, target = (ends[edges] for ends in self.edges())
        before = _cumulated(nodes)
        start = before[self.node_start]
        return Graphs(
            vocabulary=self.vocabulary,
            op=self.op[nodes],
            node_start=start,
            src=before[source] - start[row],
            dst=before[target] - start[row],
            edge_start=_cumulated(edges)[self.edge_start],
        )

    def with_words(self, names: Iterable[str]) -> "Graphs":
        """Return the same graphs with names added to the vocabulary."""
        return replace(self, vocabulary=(*self.vocabulary, *names))

    def dense(self, most: int = 65_536, largest: int | None = None) -> Iterator[Dense]:
        """Yield the graphs grouped by their number of nodes.

        Args:
            most: maximum number of graphs per batch; large graphs come in smaller batches.
            largest: skip graphs with more nodes.
        """
        sizes = np.unique(self.sizes)
        for size in sizes[sizes <= (sizes.max(initial=0) if largest is None else largest)].tolist():
            rows = np.flatnonzero(self.sizes == size)
            step = min(most, max(1, _MOST_ENTRIES // size**2))
            for first in range(0, len(rows), step):
                yield self._dense(rows[first : first + step], size)

    def _dense(self, rows: Ints, size: int) -> Dense:
        op = self.op[self.node_start[rows][:, None] + np.arange(size)]
        graph, edge = expand(self.edge_start, rows)
        adjacency = np.zeros((len(rows), size, size), dtype=np.bool_)
        adjacency[graph, self.src[edge], self.dst[edge]] = True
        return Dense(rows, op, adjacency)


def expand(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """List the elements of segments.

    Args:
        start: (segments + 1,) where each segment begins.
        rows: (k,) the segments wanted.

    Returns:
        For each element, the index of its segment in `rows`, and its position.
    """
    lengths = start[rows + 1] - start[rows]
    segment = np.repeat(np.arange(len(rows)), lengths)
    first = np.cumsum(lengths) - lengths
    return segment, np.arange(lengths.sum()) - (first - start[rows])[segment]


def _starts(column: pa.ChunkedArray) -> Ints:
    return _cumulated(pc.list_value_length(column).to_numpy())


def _cumulated(lengths: npt.NDArray[np.integer] | Bools) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
