"""What every search space offers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from snap_graphs.arrays import Graphs, Ints
from snap_graphs.cell import Cell


class Costs(NamedTuple):
    """Costs of whole networks, one entry a graph.

    Attributes:
        params: trainable parameters.
        flops: multiply-adds of convolutions and linear layers for one image.
    """

    params: Ints
    flops: Ints


class Space(ABC):
    """A search space.

    Attributes:
        name: the space's name in every file.
        n_variables: length of the points that `decode` takes.
        enumerable: whether `enumerate` lists the whole space.
    """

    name: ClassVar[str]
    n_variables: ClassVar[int]
    enumerable: ClassVar[bool] = False

    @abstractmethod
    def parse(self, arch_id: str) -> Cell:
        """Read the space's native string.

        Raises:
            SnapError: it is none.
        """

    @abstractmethod
    def format(self, cell: Cell) -> str:
        """Write a cell as the space's native string."""

    @abstractmethod
    def decode(self, point: npt.NDArray[np.float64]) -> Cell:
        """Discretise a point of [0, 1]^n_variables (paper, Algorithm 1); every point is a cell."""

    @abstractmethod
    def costs(self, graphs: Graphs) -> Costs:
        """Compute what the networks built from the cells cost."""

    def enumerate(self) -> Iterator[Cell]:
        """Yield every cell of an enumerable space."""
        raise NotImplementedError(f"{self.name} is not enumerable")


def choice(value: float, options: int) -> int:
    """Map [0, 1] evenly onto the integers below `options`."""
    return min(int(value * options), options - 1)
