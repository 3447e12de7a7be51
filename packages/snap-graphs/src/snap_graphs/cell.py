"""Cells: directed acyclic graphs whose nodes are operators."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from snap_catalog import SnapError

INPUT, OUTPUT, NONE = "input", "output", "none"

Edges = tuple[tuple[int, int], ...]
"""(source, target) node indices."""


@dataclass(frozen=True, slots=True)
class Cell:
    """An architecture's cell, node-labelled (paper, section 3.1).

    Attributes:
        nodes: operator names in topological order; the first is `input`, the last `output`.
        edges: (source, target) node indices, source before target.
    """

    nodes: tuple[str, ...]
    edges: Edges

    def __post_init__(self) -> None:
        if len(self.nodes) < 2 or self.nodes[0] != INPUT or self.nodes[-1] != OUTPUT:
            raise SnapError(f"a cell's nodes must run from input to output, not {self.nodes}")
        for src, dst in self.edges:
            if not 0 <= src < dst < len(self.nodes):
                raise SnapError(
                    f"the edge {src}->{dst} does not lead from a lower to a higher node of "
                    f"{len(self.nodes)}; list nodes in topological order (a cycle has none)"
                )


def edge_labelled(
    operators: Mapping[tuple[int, int], str], inputs: int = 1, ends: Collection[int] = ()
) -> Cell:
    """Convert an edge-labelled cell to a node-labelled one (paper, section 3.1).

    Every labelled edge becomes a node, connected to the nodes of the edges that leave its target.

    Args:
        operators: operator by (source, target) of the edge.
        inputs: number of input vertices, which come first.
        ends: the vertices that form the output; by default the last one.
    """
    labelled, edges = _wiring(tuple(operators), inputs, frozenset(ends))
    nodes = (*[INPUT] * inputs, *(operators[edge] for edge in labelled), OUTPUT)
    return Cell(nodes, edges)


@lru_cache(maxsize=1024)
def _wiring(labelled: Edges, inputs: int, ends: frozenset[int]) -> tuple[Edges, Edges]:
    """Return labelled edges in the order of their nodes, and the edges between these nodes.

    The result is cached, as most cells of a space have the same wiring.
    """
    labelled = tuple(sorted(labelled, key=lambda edge: (edge[1], edge[0])))
    position = {edge: i for i, edge in enumerate(labelled, start=inputs)}
    ends = ends or frozenset({max(dst for _, dst in labelled)})
    last_node = inputs + len(labelled)
    edges = []
    for (src, dst), node in position.items():
        if src < inputs:
            edges.append((src, node))
        edges += [(node, after) for (start, _), after in position.items() if start == dst]
        if dst in ends:
            edges.append((node, last_node))
    return labelled, tuple(sorted(edges))
