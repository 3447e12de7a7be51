"""The interface of search algorithms."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from snap_graphs import Cell, Space

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Algorithm(ABC):
    """Proposes cells, generation by generation.

    Equal arguments and equal values give equal proposals.

    Attributes:
        many_objectives: whether it accepts more than one objective.
    """

    many_objectives: ClassVar[bool] = False

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
        """Return the next generation, which is empty if there is nothing left to propose."""

    @abstractmethod
    def tell(self, values: Floats, excess: Floats) -> None:
        """Learn the values of the cells of the last generation.

        Args:
            values: (k, objectives), higher is better; -inf for cells beyond a limit.
            excess: (k,) by what share the cells are beyond the limits, 0 within.
        """
