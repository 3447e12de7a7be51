"""What a search algorithm is."""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt
from snap_graphs import Cell, Space

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Algorithm(ABC):
    """Proposes cells, generation by generation.

    Equal arguments and equal answers give equal proposals.
    """

    @abstractmethod
    def __init__(self, space: Space, seed: int, objectives: int) -> None:
        """Start.

        Args:
            space: where to search.
            seed: of all randomness.
            objectives: number of objectives.
        """

    @abstractmethod
    def ask(self) -> list[Cell]:
        """Return the next generation; none where there is nothing left to propose."""

    @abstractmethod
    def tell(self, values: Floats, excess: Floats) -> None:
        """Learn what the cells last asked for are worth.

        Args:
            values: (k, objectives), higher is better; -inf for cells beyond a limit.
            excess: (k,) by how much the cells are beyond the limits; 0 within.
        """
