"""What follows from a graph alone: dead operators, paths, depth and isomorphism class."""

import hashlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from snap_graphs.arrays import Bools, Dense, Graphs, Ints
from snap_graphs.cell import INPUT, NONE, OUTPUT

_Hashes = npt.NDArray[np.uint64]
_LANES = np.array([0x9E3779B97F4A7C15, 0xD1B54A32D192ED03], np.uint64)
_INDIVIDUAL = np.uint64(0xA0761D6478BD642F)


MOST_PATHS = 2**31 - 1
"""Stands for as many paths or more."""


class Structure(NamedTuple):
    """Columns of `graphs.parquet` computed from the graphs, one entry a graph."""

    cell_hash: list[str]
    n_dead: Ints
    depth: Ints
    n_paths: Ints


def structure(graphs: Graphs) -> Structure:
    """Compute the structural columns of `graphs.parquet`."""
    count = len(graphs)
    n_dead, depth, n_paths = (np.zeros(count, np.int64) for _ in range(3))
    digests = np.zeros((count, len(_LANES)), np.uint64)
    words = _word_hashes(graphs.vocabulary)
    for part in graphs.dense():
        ends = _ends(graphs, part)
        live = alive(graphs, part)
        adjacency = part.adjacency & live[:, :, None] & live[:, None, :]
        n_dead[part.rows] = (~live & ~ends).sum(axis=1)
        depth[part.rows] = _longest(adjacency, live & ~ends)
        n_paths[part.rows] = _count_paths(adjacency, live, part.op == graphs.index(INPUT))
        colours = mix(words[part.op] ^ _LANES[:, None, None])
        digests[part.rows] = _digest(adjacency, colours, live | ends).T
    return Structure([f"{a:016x}{b:016x}" for a, b in digests], n_dead, depth, n_paths)


def _ends(graphs: Graphs, part: Dense) -> Bools:
    ends: Bools = np.isin(part.op, [graphs.index(INPUT), graphs.index(OUTPUT)])
    return ends


def alive(graphs: Graphs, part: Dense) -> Bools:
    """Find the nodes on a path from an input to the output that no `none` interrupts.

    Returns:
        (b, n) true for the live nodes.
    """
    forward = part.op == graphs.index(INPUT)
    backward = part.op == graphs.index(OUTPUT)
    blocked = part.op == graphs.index(NONE)
    size = part.op.shape[1]
    for node in range(size):
        forward[:, node] |= (forward & part.adjacency[:, :, node]).any(axis=1)
        forward[:, node] &= ~blocked[:, node]
    for node in reversed(range(size)):
        backward[:, node] |= (backward & part.adjacency[:, node, :]).any(axis=1)
        backward[:, node] &= ~blocked[:, node]
    live: Bools = forward & backward
    return live


def _longest(adjacency: Bools, counted: Bools) -> Ints:
    length = counted.astype(np.int64)
    for node in range(1, counted.shape[1]):
        before = np.where(adjacency[:, :node, node], length[:, :node], 0)
        length[:, node] += before.max(axis=1)
    return length[:, -1]


def _count_paths(adjacency: Bools, live: Bools, is_input: Bools) -> Ints:
    paths = (is_input & live).astype(np.int64)
    for node in range(1, live.shape[1]):
        paths[:, node] += (paths[:, :node] * adjacency[:, :node, node]).sum(axis=1)
        np.minimum(paths[:, node], MOST_PATHS, out=paths[:, node])
    return paths[:, -1]


def _word_hashes(vocabulary: tuple[str, ...]) -> _Hashes:
    digests = [hashlib.blake2b(word.encode(), digest_size=8).digest() for word in vocabulary]
    return np.array([int.from_bytes(digest, "big") for digest in digests], np.uint64)


def mix(x: _Hashes) -> _Hashes:
    """Scramble 64-bit words (the finaliser of the SplitMix64 generator)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _digest(adjacency: Bools, colours: _Hashes, kept: Bools) -> _Hashes:
    """Hash labelled graphs so that isomorphic ones, and with near certainty no others, agree.

    Colour refinement in both edge directions; where it leaves two nodes alike, it is repeated
    with each node singled out in turn, which tells apart the regular graphs it alone cannot.

    Args:
        adjacency: (b, n, n) edges.
        colours: (lanes, b, n) labels, hashed with several seeds.
        kept: (b, n) nodes that count.

    Returns:
        (lanes, b) hashes.
    """
    refined = _refine(adjacency, colours, kept)
    digest = _multiset(refined, kept)
    tied = np.flatnonzero(_has_ties(refined[0], kept))
    edges, start, keep = adjacency[tied], colours[:, tied], kept[tied]
    total = np.zeros((len(colours), len(tied)), np.uint64)
    for node in range(kept.shape[1]):
        singled = start.copy()
        singled[..., node] ^= _INDIVIDUAL
        total += mix(_multiset(_refine(edges, singled, keep), keep)) * keep[:, node]
    digest[:, tied] ^= total
    return digest


def _refine(adjacency: Bools, colours: _Hashes, kept: Bools) -> _Hashes:
    out_of = adjacency.astype(np.uint64)
    into = out_of.transpose(0, 2, 1).copy()
    rounds = kept.sum(axis=1, keepdims=True) - 1  # dead nodes must not count
    for number in range(kept.shape[1] - 1):
        sources = _neighbours(into, mix(colours + np.uint64(1)))
        targets = _neighbours(out_of, mix(colours + np.uint64(2)))
        mixed = mix(colours * np.uint64(3) + mix(sources) + mix(targets) * np.uint64(5))
        colours = np.where(number < rounds, mixed, colours)
    return colours


def _neighbours(adjacency: _Hashes, colours: _Hashes) -> _Hashes:
    """Sum up the colours of every node's neighbours, modulo 2^64."""
    total: _Hashes = np.matmul(adjacency, colours[..., None])[..., 0]
    return total


def _multiset(colours: _Hashes, kept: Bools) -> _Hashes:
    summed: _Hashes = np.where(kept, mix(colours), np.uint64(0)).sum(axis=-1, dtype=np.uint64)
    return mix(summed)


def _has_ties(colours: _Hashes, kept: Bools) -> Bools:
    shown = np.where(kept, colours, np.arange(colours.shape[1], dtype=np.uint64))
    ordered = np.sort(shown, axis=1)
    ties: Bools = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    return ties
