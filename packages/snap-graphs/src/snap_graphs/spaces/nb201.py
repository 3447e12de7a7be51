"""NAS-Bench-201: four vertices, every edge one of five operators (15,625 cells)."""

import itertools
import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from snap_catalog import SnapError

from snap_graphs.arrays import Graphs, Ints
from snap_graphs.cell import NONE, Cell, edge_labelled
from snap_graphs.spaces.base import Costs, ProductSpace, layer_costs

OPERATORS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_SWAPPED = ((0, 2), (0, 1), (1, 2), (0, 3), (2, 3), (1, 3))
"""The edges after swapping the two inner vertices."""

_STRING = re.compile(
    r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|", flags=re.ASCII
)
_PRINTED = re.compile(r"\w+\(4 nodes with (\|.*\|)\)", flags=re.ASCII)
"""Printed form of the benchmark's class `Structure`."""
_STAGES = ((16, 32), (32, 16), (64, 8))
"""Channels and image side of the three stages of five cells each."""
_CELLS = 5


class NasBench201(ProductSpace):
    """The NAS-Bench-201 (NATS-Bench topology) search space."""

    name: ClassVar[str] = "nb201"
    enumerable: ClassVar[bool] = True
    options: ClassVar[tuple[int, ...]] = (len(OPERATORS),) * len(EDGES)

    def read(self, text: str) -> Cell:
        """Parse `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, also in `Structure(4 nodes with ...)`."""
        printed = _PRINTED.fullmatch(text)
        match = _STRING.fullmatch(printed.group(1) if printed else text)
        unknown = sorted(set(match.groups()) - set(OPERATORS)) if match else []
        if match is None or unknown:
            fault = f"unknown operator {unknown[0]!r:.40}" if unknown else "wrong form"
            raise SnapError(
                f"{text!r:.80} is not a NAS-Bench-201 cell ({fault}); "
                f"expected |op~0|+|op~0|op~1|+|op~0|op~1|op~2| with {', '.join(OPERATORS)}"
            )
        return self.cell(match.groups())

    def cell(self, operators: Sequence[str]) -> Cell:
        """Build the cell of six operators, in the order of `EDGES`."""
        return edge_labelled(dict(zip(EDGES, operators, strict=True)))

    def format(self, cell: Cell) -> str:
        """Format a cell as `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
        parts = [f"{op}~{src}" for op, (src, _) in zip(cell.nodes[1:-1], EDGES, strict=True)]
        return f"|{parts[0]}|+|{'|'.join(parts[1:3])}|+|{'|'.join(parts[3:])}|"

    def compose(self, choices: Sequence[int]) -> Cell:
        """Give each of the six edges one of the five operators."""
        return self.cell([OPERATORS[choice] for choice in choices])

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the six operators as indices into `OPERATORS`."""
        return tuple(OPERATORS.index(node) for node in cell.nodes[1:-1])

    def canonical(self, cell: Cell) -> Cell:
        """Return the representative of all cells with the same `cell_hash`.

        Operators on no path become `none`. If the two inner vertices are not connected, the first
        of the cell and its swapped form represents both.
        """
        live = self.cell(_without_dead(cell.nodes[1:-1]))
        if live.nodes[1 + EDGES.index((1, 2))] != NONE:
            return live
        swapped = [live.nodes[1 + EDGES.index(edge)] for edge in _SWAPPED]
        return min(live, self.cell(swapped), key=self.choices)

    def costs(self, graphs: Graphs) -> Costs:
        """Count the CIFAR-10 network: 3 stages of 5 cells, 16 channels first, 10 classes.

        Convolutions have no bias and are followed by an affine batch normalisation. Dead
        operators count too, as the benchmark builds and runs them.
        """
        graph = np.repeat(np.arange(len(graphs)), graphs.sizes)
        costs = np.repeat(_fixed_costs(), len(graphs), axis=1)
        for operator, kernel in (("nor_conv_1x1", 1), ("nor_conv_3x3", 3)):
            hits = graph[graphs.op == graphs.index(operator)]
            count = _CELLS * np.bincount(hits, minlength=len(graphs))
            for channels, side in _STAGES:
                costs += count * layer_costs(kernel**2 * channels**2, 2 * channels, channels, side)
        return Costs(*costs)


def _without_dead(operators: Sequence[str]) -> list[str]:
    """Turn operators on no path from vertex 0 to vertex 3 into `none`."""
    present = [e for e, op in zip(EDGES, operators, strict=True) if op != NONE]
    ahead = {0} | {dst for src, dst in present if src == 0 or (0, src) in present}
    behind = {3} | {src for src, dst in present if dst == 3 or (dst, 3) in present}
    live = [src in ahead and dst in behind for src, dst in EDGES]
    return [op if keep else NONE for op, keep in zip(operators, live, strict=True)]


def _fixed_costs() -> Ints:
    """Count stem, the two residual blocks between the stages, last normalisation and classifier."""
    stem = layer_costs(9 * 3 * 16, 2 * 16, 16, 32)
    blocks = sum(
        layer_costs(9 * c * d + 9 * d * d + c * d, 2 * 2 * d, 3 * d, side)
        for (c, _), (d, side) in itertools.pairwise(_STAGES)
    )
    return stem + blocks + layer_costs(64 * 10, 2 * 64 + 10, 10, 1)
