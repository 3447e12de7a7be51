"""Compute one representative per isomorphism class of cells without dead operators."""

from collections.abc import Iterator, Sequence
from typing import Any

from snap_graphs.cell import INPUT, NONE, Cell

_Key = tuple[int, ...]


def prune(cell: Cell) -> Cell:
    """Remove `none` and operators on no path from an input to the output.

    Inputs and the output stay even if unconnected; the order of nodes is kept.
    """
    edges = [(s, d) for s, d in cell.edges if NONE not in (cell.nodes[s], cell.nodes[d])]
    ahead = {node for node, name in enumerate(cell.nodes) if name == INPUT}
    ends = ahead | {len(cell.nodes) - 1}
    behind = {len(cell.nodes) - 1}
    for src, dst in sorted(edges):
        ahead |= {dst} if src in ahead else set()
    for src, dst in sorted(edges, key=lambda edge: -edge[1]):
        behind |= {src} if dst in behind else set()
    live = ahead & behind
    kept = [edge for edge in edges if live.issuperset(edge)]
    return _relabel(cell, sorted(live | ends), kept)


def canonical(cell: Cell) -> Cell:
    """Return the representative of a cell's isomorphism class.

    Dead operators are removed. The topological order of the nodes depends on the class alone: it
    comes from colour refinement, with tied nodes individualised until all colours differ.
    """
    pruned = prune(cell)
    depth = _depths(pruned)
    last = len(pruned.nodes) - 1
    depth[last] = len(pruned.nodes)
    colours = _ranks(list(zip(depth, pruned.nodes, strict=True)))
    return min(_orderings(pruned, colours), key=lambda c: (c.nodes, c.edges))


def _orderings(cell: Cell, colours: list[int]) -> Iterator[Cell]:
    """Yield the cell in every node order that results from breaking ties."""
    colours = _refine(cell, colours)
    tied = next((c for c in range(len(colours)) if colours.count(c) > 1), None)
    if tied is None:
        order = sorted(range(len(colours)), key=colours.__getitem__)
        yield _relabel(cell, order, list(cell.edges))
        return
    seen: set[tuple[_Key, _Key]] = set()
    for node in [v for v, colour in enumerate(colours) if colour == tied]:
        around = _neighbours(cell, node)
        if around not in seen:  # nodes with equal neighbours lead to the same orderings
            seen.add(around)
            singled = [2 * c + (c == tied and v != node) for v, c in enumerate(colours)]
            yield from _orderings(cell, singled)


def _refine(cell: Cell, colours: list[int]) -> list[int]:
    """Refine colours by the colours of neighbours until they are stable."""
    colours = _ranks(colours)
    while True:
        around = [_neighbours(cell, node) for node in range(len(colours))]
        seen = [[sorted(colours[v] for v in side) for side in sides] for sides in around]
        finer = _ranks([(c, tuple(i), tuple(o)) for c, (i, o) in zip(colours, seen, strict=True)])
        if finer == colours:
            return colours
        colours = finer


def _neighbours(cell: Cell, node: int) -> tuple[_Key, _Key]:
    into = tuple(sorted(s for s, d in cell.edges if d == node))
    return into, tuple(sorted(d for s, d in cell.edges if s == node))


def _depths(cell: Cell) -> list[int]:
    depth = [0] * len(cell.nodes)
    for src, dst in sorted(cell.edges, key=lambda edge: edge[1]):
        depth[dst] = max(depth[dst], depth[src] + 1)
    return depth


def _ranks(keys: Sequence[Any]) -> list[int]:
    place = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return [place[key] for key in keys]


def _relabel(cell: Cell, order: list[int], edges: list[tuple[int, int]]) -> Cell:
    place = {node: i for i, node in enumerate(order)}
    moved = sorted((place[s], place[d]) for s, d in edges)
    return Cell(tuple(cell.nodes[node] for node in order), tuple(moved))
