"""NAS-Bench-Graph: graph neural networks of four operators, each with one input."""

import itertools
from collections.abc import Sequence
from typing import ClassVar

from snap_catalog import SnapError

from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.spaces.base import ProductSpace
from snap_graphs.spaces.printed_values import printed_value

OPERATORS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
"""By the benchmark's digit."""
LINKS = (
    (0, 0, 0, 0),
    (0, 0, 0, 1),
    (0, 0, 1, 1),
    (0, 0, 1, 2),
    (0, 0, 1, 3),
    (0, 1, 1, 1),
    (0, 1, 1, 2),
    (0, 1, 2, 2),
    (0, 1, 2, 3),
)
"""By the benchmark's digit: the source of each operator; 0 is the cell's input."""

_SIZE = len(LINKS[0])


class NasBenchGraph(ProductSpace):
    """The NAS-Bench-Graph space; native string `Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])`.

    Operators without successors are connected to the output. Links may have any order; points,
    samples and neighbours use the nine link lists of the benchmark.
    """

    name: ClassVar[str] = "nb-graph"
    options: ClassVar[tuple[int, ...]] = (len(LINKS), *(len(OPERATORS),) * _SIZE)
    enumerable: ClassVar[bool] = True

    def read(self, text: str) -> Cell:
        """Parse `Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])`."""
        try:
            parts = printed_value(text, {"Arch": _arch})
            return self.cell(*_arch(*parts))
        except (TypeError, ValueError) as error:
            raise SnapError(
                f"{text!r:.80} is not a NAS-Bench-Graph architecture; "
                "expected Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])"
            ) from error

    def cell(self, links: Sequence[int], operators: Sequence[str]) -> Cell:
        """Build the cell of four links and four operators.

        Raises:
            SnapError: a link leads nowhere, or an operator is unknown.
        """
        unknown = [name for name in operators if name not in OPERATORS]
        if len(operators) != _SIZE or unknown:
            raise SnapError(f"a network has four operators of {', '.join(OPERATORS)}")
        if any(not 0 <= link <= place for place, link in enumerate(links)):
            raise SnapError(f"links {list(links)}: each must be 0 or the number of one before it")
        edges = [(link, place) for place, link in enumerate(links, start=1)]
        ends = [place for place in range(1, _SIZE + 1) if place not in links]
        edges += [(end, _SIZE + 1) for end in ends]
        return Cell((INPUT, *operators, OUTPUT), tuple(sorted(edges)))

    def format(self, cell: Cell) -> str:
        """Format a cell as `Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])`."""
        return f"Arch({list(links(cell))}, {list(cell.nodes[1:-1])})"

    def compose(self, choices: Sequence[int]) -> Cell:
        """Build the cell of the benchmark's five digits: links, then operators."""
        return self.cell(LINKS[choices[0]], [OPERATORS[digit] for digit in choices[1:]])

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the benchmark's five digits; read as a decimal number they are its key.

        Raises:
            SnapError: the links are in another order than the benchmark's.
        """
        found = links(cell)
        if found not in LINKS:
            raise SnapError(
                f"{list(found)} is not a link list of the benchmark; renumber the operators"
            )
        return (LINKS.index(found), *(OPERATORS.index(name) for name in cell.nodes[1:-1]))

    def canonical(self, cell: Cell) -> Cell:
        """Return the representative of all cells with the same `cell_hash`.

        It is the renumbering with the lowest key in the benchmark.
        """
        found = links(cell)
        renumbered = []
        for order in itertools.permutations(range(1, _SIZE + 1)):
            place = {0: 0, **{node: i for i, node in enumerate(order, start=1)}}
            moved = tuple(place[found[node - 1]] for node in order)
            if moved in LINKS:
                renumbered.append(self.cell(moved, [cell.nodes[node] for node in order]))
        return min(renumbered, key=self.choices)


def _arch(links: list[int], operators: list[str]) -> tuple[list[int], list[str]]:
    """Replace the benchmark's class."""
    if [type(link) for link in links] != [int] * _SIZE:
        raise TypeError("an architecture has four links, which are numbers")
    return links, operators


def links(cell: Cell) -> tuple[int, ...]:
    """Return the source of each operator."""
    into = {dst: src for src, dst in cell.edges if dst <= _SIZE}
    return tuple(into[place] for place in range(1, _SIZE + 1))
