"""Hash graphs up to isomorphism; collisions are very unlikely."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from snap_graphs.arrays import Graphs, Ints
from snap_graphs.traversal import waves

_Hashes = npt.NDArray[np.uint64]
_LANES = np.array([0x9E3779B97F4A7C15, 0xD1B54A32D192ED03], np.uint64)
_INDIVIDUAL = np.uint64(0xA0761D6478BD642F)

_MOST_REFINED = 128
"""Largest graphs with colour refinement, which takes time of n^2 times the edges."""
_AT_ONCE = 2**16
"""Colours per batch."""
_SWEEPS = 2
"""Propagations per direction in larger graphs."""


def graph_hashes(graphs: Graphs) -> list[str]:
    """Return 32 hexadecimal digits of every graph.

    Graphs of at most 128 nodes take part in colour refinement in both edge directions; where it
    leaves two nodes alike, it is repeated with each node singled out in turn, which separates
    the regular graphs that it alone cannot. In larger graphs colours are instead swept along all
    paths, forward and backward twice, in linear time and memory.
    """
    digests = np.zeros((len(graphs), len(_LANES)), np.uint64)
    words = np.array([_word_hash(word) for word in graphs.vocabulary], np.uint64)
    colours = mix(words[graphs.op] ^ _LANES[:, None])
    for rows in _batches(graphs.sizes):
        nodes = graphs.nodes_of(rows)
        digests[rows] = _refined_digest(graphs.take(rows), colours[:, nodes]).T
    large = np.flatnonzero(graphs.sizes > _MOST_REFINED)
    if large.size:
        nodes = graphs.nodes_of(large)
        digests[large] = _swept_digest(graphs.take(large), colours[:, nodes]).T
    return [f"{a:016x}{b:016x}" for a, b in digests.tolist()]


def mix(x: _Hashes) -> _Hashes:
    """Scramble 64-bit words (the finaliser of the SplitMix64 generator)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")


def _batches(sizes: Ints) -> Iterator[Ints]:
    """Yield the positions of small graphs in batches of one size."""
    for size in np.unique(sizes[sizes <= _MOST_REFINED]).tolist():
        rows = np.flatnonzero(sizes == size)
        yield from np.split(rows, range(0, len(rows), max(1, _AT_ONCE // size))[1:])


class _Neighbours(NamedTuple):
    """The neighbours of every node.

    Attributes:
        order: (edges,) neighbours, those of one node side by side.
        start: (nodes + 1,) where each node's neighbours begin.
    """

    order: Ints
    start: Ints

    @classmethod
    def of(cls, nodes: Ints, neighbours: Ints, count: int) -> "_Neighbours":
        """Gather the neighbours at the other ends of edges from (edges,) nodes."""
        start = np.concatenate([[0], np.cumsum(np.bincount(nodes, minlength=count))])
        return cls(neighbours[np.argsort(nodes, kind="stable")], start)

    def total(self, colours: _Hashes) -> _Hashes:
        """Sum up the colours of every node's neighbours, modulo 2^64."""
        sums = np.zeros((*colours.shape[:-1], len(self.order) + 1), np.uint64)
        np.cumsum(colours[..., self.order], axis=-1, out=sums[..., 1:])
        total: _Hashes = sums[..., self.start[1:]] - sums[..., self.start[:-1]]
        return total


class _Wiring(NamedTuple):
    """The neighbours of the nodes of graphs of one size, in both directions."""

    size: int
    into: _Neighbours
    out_of: _Neighbours

    @classmethod
    def of(cls, graphs: Graphs) -> "_Wiring":
        _, source, target = graphs.edges()
        count = len(graphs.op)
        into = _Neighbours.of(target, source, count)
        return cls(int(graphs.sizes[0]), into, _Neighbours.of(source, target, count))


def _refined_digest(graphs: Graphs, colours: _Hashes) -> _Hashes:
    """Hash b graphs of one size whose nodes have (lanes, nodes) colours: (lanes, b)."""
    wiring = _Wiring.of(graphs)
    refined = _refine(wiring, colours)
    digest = _multiset(refined, wiring.size)
    ordered = np.sort(refined[0].reshape(-1, wiring.size), axis=1)
    tied = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
    if tied.size:
        nodes = graphs.nodes_of(tied)
        digest[:, tied] ^= _individual_digest(_Wiring.of(graphs.take(tied)), colours[:, nodes])
    return digest


def _individual_digest(wiring: _Wiring, colours: _Hashes) -> _Hashes:
    """Sum the hashes of graphs with each node individualised in turn."""
    lanes, count = colours.shape
    total = np.zeros((lanes, count // wiring.size), np.uint64)
    step = max(1, _AT_ONCE // count)
    for first in range(0, wiring.size, step):
        chosen = np.arange(first, min(first + step, wiring.size))
        singled = np.repeat(colours[:, None, :], len(chosen), axis=1)
        for place, node in enumerate(chosen):
            singled[:, place, node :: wiring.size] ^= _INDIVIDUAL
        total += mix(_multiset(_refine(wiring, singled), wiring.size)).sum(axis=1, dtype=np.uint64)
    return total


def _refine(wiring: _Wiring, colours: _Hashes) -> _Hashes:
    """Refine (..., nodes) colours for as many rounds as can separate nodes."""
    for _ in range(wiring.size - 1):
        sources = wiring.into.total(mix(colours + np.uint64(1)))
        targets = wiring.out_of.total(mix(colours + np.uint64(2)))
        colours = mix(colours * np.uint64(3) + mix(sources) + mix(targets) * np.uint64(5))
    return colours


def _multiset(colours: _Hashes, size: int) -> _Hashes:
    """Hash the colours of each graph, whatever their order: (..., graphs)."""
    shape = (*colours.shape[:-1], -1, size)
    return mix(mix(colours).reshape(shape).sum(axis=-1, dtype=np.uint64))


def _swept_digest(graphs: Graphs, colours: _Hashes) -> _Hashes:
    """Hash b graphs of any size whose nodes have (lanes, nodes) colours: (lanes, b)."""
    ways = [list(waves(graphs, backward=backward)) for backward in (False, True)]
    for number, way in enumerate(ways * _SWEEPS, start=1):
        colours = mix(colours + np.uint64(number))
        for nodes, sources, starts in way:
            met: _Hashes = np.add.reduceat(colours[:, sources], starts, axis=1)
            colours[:, nodes] = mix(colours[:, nodes] + met * np.uint64(3))
    total: _Hashes = np.add.reduceat(mix(colours), graphs.node_start[:-1], axis=1)
    return mix(total)
