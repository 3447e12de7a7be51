"""The cells of the NDS study: genotypes of the NASNet, Amoeba, PNAS, ENAS and DARTS families."""

import re
from collections.abc import Sequence
from typing import ClassVar

from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.spaces.base import ProductSpace
from snap_graphs.spaces.genotypes import (
    Genotype,
    Pair,
    format_genotype,
    parse_genotype,
    to_cell,
    to_genotype,
)

OPERATORS = (
    "none",
    "skip_connect",
    "avg_pool_3x3",
    "max_pool_3x3",
    "max_pool_5x5",
    "max_pool_7x7",
    "conv_1x1",
    "conv_3x3",
    "conv_3x1_1x3",
    "conv_7x1_1x7",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "dil_sep_conv_3x3",
)
"""The operators of all families together."""

STEPS = 5
_PREFIX = re.compile(r"[\w-]{1,40}:w\d{1,5}:d\d{1,5}:", flags=re.ASCII)
_STEP_OPTIONS = tuple(option for step in range(STEPS) for option in (2 + step, len(OPERATORS)) * 2)


class Nds(ProductSpace):
    """The union of the NDS families' cells.

    The native string is the genotype, optionally preceded by the design space, width and depth of
    the network, as in the benchmark's files: `NASNet:w16:d20:Genotype(...)`. Points, samples and
    neighbours cover cells of five nodes whose outputs are the nodes without successors, as in all
    families but DARTS; `choices` refuses others. Width and depth vary between networks, so that the
    cell does not determine the costs.
    """

    name: ClassVar[str] = "nds"
    options: ClassVar[tuple[int, ...]] = _STEP_OPTIONS * 2

    def read(self, text: str) -> Cell:
        """Parse a genotype, with or without design space, width and depth before it."""
        return self.cell(parse_genotype(_PREFIX.sub("", text, count=1), ()))

    def cell(self, genotype: Genotype) -> Cell:
        """Join the two cells of a genotype.

        Raises:
            SnapError: an operator is unknown.
        """
        for operator, _ in (*genotype.normal, *genotype.reduce):
            if operator not in OPERATORS:
                raise SnapError(
                    f"no NDS family has the operator {operator!r}; they have {', '.join(OPERATORS)}"
                )
        return to_cell(genotype)

    def format(self, cell: Cell) -> str:
        """Format a cell as `Genotype(normal=[...], normal_concat=[...], ...)`."""
        return format_genotype(to_genotype(cell))

    def compose(self, choices: Sequence[int]) -> Cell:
        """Build the cells from the source and operator of every pair."""
        pairs = tuple(
            (OPERATORS[choices[place + 1]], choices[place]) for place in range(0, len(choices), 2)
        )
        normal, reduce = pairs[: 2 * STEPS], pairs[2 * STEPS :]
        return to_cell(Genotype(normal, _loose_ends(normal), reduce, _loose_ends(reduce)))

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the source and operator of every pair.

        Raises:
            SnapError: a cell does not have five nodes, or has other outputs.
        """
        genotype = to_genotype(cell)
        wanted = (_loose_ends(genotype.normal), _loose_ends(genotype.reduce))
        if genotype.steps != STEPS or wanted != (genotype.normal_concat, genotype.reduce_concat):
            raise SnapError(
                "points of the nds space are cells of five nodes whose outputs are the nodes "
                "without successors; this cell differs"
            )
        pairs = (*genotype.normal, *genotype.reduce)
        return tuple(
            option for operator, source in pairs for option in (source, OPERATORS.index(operator))
        )


def _loose_ends(pairs: Sequence[Pair]) -> tuple[int, ...]:
    taken = {source for _, source in pairs}
    return tuple(node for node in range(2, 2 + len(pairs) // 2) if node not in taken)
