"""FBNet: a chain of 22 blocks, each one of nine."""

import itertools
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from snap_catalog import SnapError

from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.spaces.base import ProductSpace
from snap_graphs.spaces.printed_values import printed_value

OPERATORS = (
    "k3_e1",
    "k3_e1_g2",
    "k3_e3",
    "k3_e6",
    "k5_e1",
    "k5_e1_g2",
    "k5_e3",
    "k5_e6",
    "skip",
)
"""By HW-NAS-Bench's index: kernel size, expansion and groups of an inverted residual block."""
LAYERS = 22


class FbNet(ProductSpace):
    """The FBNet space as HW-NAS-Bench numbers it; native string `[0, 8, 3, ...]`, 22 indices."""

    name: ClassVar[str] = "fbnet"
    options: ClassVar[tuple[int, ...]] = (len(OPERATORS),) * LAYERS

    def read(self, text: str) -> Cell:
        """Parse a list of 22 indices below nine."""
        digits: Any = None
        with suppress(ValueError):
            digits = printed_value(text)
        is_long = isinstance(digits, list | tuple) and len(digits) == LAYERS
        if not is_long or not all(type(d) is int and 0 <= d < len(OPERATORS) for d in digits):
            raise SnapError(
                f"{text!r:.80} is not an FBNet architecture; "
                f"expected a list of {LAYERS} indices from 0 to {len(OPERATORS) - 1}"
            )
        return self.compose(digits)

    def format(self, cell: Cell) -> str:
        """Format a cell as a list of 22 indices."""
        return str(list(self.choices(cell)))

    def compose(self, choices: Sequence[int]) -> Cell:
        """Chain the blocks of 22 indices."""
        edges = tuple(itertools.pairwise(range(LAYERS + 2)))
        return Cell((INPUT, *(OPERATORS[choice] for choice in choices), OUTPUT), edges)

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the 22 indices."""
        return tuple(OPERATORS.index(node) for node in cell.nodes[1:-1])
