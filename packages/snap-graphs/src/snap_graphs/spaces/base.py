"""The interface of search spaces."""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

from snap_graphs.arrays import Graphs, Ints
from snap_graphs.canonical import canonical
from snap_graphs.cell import Cell

Point = npt.NDArray[np.float64]


class Costs(NamedTuple):
    """Costs of whole networks, one entry per graph.

    Attributes:
        params: trainable parameters.
        flops: multiply-adds of convolutions and linear layers for one image.
        activations: output elements of convolutions (Radosavovic et al., "Designing Network Design
            Spaces", CVPR 2020, section 3.1) and linear layers for one image.
    """

    params: Ints
    flops: Ints
    activations: Ints


class NodeFacts(NamedTuple):
    """Facts about the nodes of networks: one list per graph, one entry per node.

    Attributes:
        shapes: output shapes without the batch.
        params: trainable parameters; None if not counted.
        flops: multiply-adds for one input; None if not counted.
    """

    shapes: list[list[tuple[int, ...]]]
    params: list[list[int]] | None
    flops: list[list[int]] | None


def layer_costs(weights: int | Ints, scales: int | Ints, channels: int | Ints, side: int) -> Ints:
    """Count the costs of layers with outputs of one side.

    A linear layer is a convolution of side 1; its bias counts as a scale.

    Args:
        weights: weights of convolutions; one number, or (like the next two) one per graph.
        scales: parameters without multiply-adds: normalisations and biases.
        channels: total output channels of the convolutions.
        side: side of the outputs in pixels.

    Returns:
        (3, 1) or (3, graphs) parameters, multiply-adds and activations, in the order of `Costs`.
    """
    area = side**2
    counts = np.broadcast_arrays(weights + scales, weights * area, channels * area)
    return np.stack([np.atleast_1d(count) for count in counts]).astype(np.int64)


class Space(ABC):
    """A search space."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The space's name in every file."""

    @property
    @abstractmethod
    def n_variables(self) -> int:
        """Length of the points of `decode` and `encode`."""

    @property
    def enumerable(self) -> bool:
        """Whether listing the complete space is fast, so that a search can rank it."""
        return False

    @property
    def metadata(self) -> Mapping[str, str]:
        """Metadata entries of tables of the space; empty for catalogued spaces."""
        return {}

    @property
    def withheld_code(self) -> str:
        """Message on code that a user-defined space names but that is not imported; else empty."""
        return ""

    def parse(self, arch_id: str) -> Cell:
        """Parse a native string in any form that scripts and logs print.

        Raises:
            SnapError: the string is invalid; the error names known spaces that accept it.
        """
        text = arch_id.strip()
        try:
            return self.read(text)
        except SnapError as error:
            takers = _takers(text)
            if not takers:
                raise
            raise SnapError(f"{error}; the space {' or '.join(takers)} accepts it") from error

    @abstractmethod
    def read(self, text: str) -> Cell:
        """Parse a native string without surrounding blanks.

        Raises:
            SnapError: the string is invalid.
        """

    @abstractmethod
    def format(self, cell: Cell) -> str:
        """Format a cell as native string."""

    @abstractmethod
    def decode(self, point: Point) -> Cell:
        """Discretise a point of [0, 1]^n_variables (paper, Algorithm 1); every point is a cell."""

    def encode(self, cell: Cell) -> Point:
        """Return a point that decodes to the cell."""
        raise NotImplementedError(f"{self.name} has no points")

    def costs(self, graphs: Graphs) -> Costs | None:
        """Compute the costs of the networks around the cells; None if unknown."""
        return None

    def node_facts(self, cells: Sequence[Cell]) -> NodeFacts | None:
        """Return facts about the nodes of networks; None if graphs are cells."""
        return None

    def enumerate(self) -> Iterator[Cell]:
        """Yield every cell once.

        Raises:
            SnapError: the space is too large to be listed.
        """
        raise SnapError(f"{self.name} is too large to list; sample it instead")

    def count(self) -> int:
        """Return the number of cells of the space."""
        return sum(1 for _ in self.enumerate())

    def sample(self, n: int, seed: int | np.random.Generator) -> list[Cell]:
        """Sample n cells with replacement, uniformly over native strings.

        Args:
            n: number of cells.
            seed: seed of the random draw, or a generator.
        """
        cells = list(self.enumerate())
        return [cells[i] for i in np.random.default_rng(seed).integers(len(cells), size=n)]

    def neighbours(self, cell: Cell) -> Iterator[Cell]:
        """Yield the cells that are one edit of the native string away, without repeats."""
        raise NotImplementedError(f"{self.name} has no neighbours")

    def mutate(self, cell: Cell, rng: np.random.Generator) -> Cell:
        """Sample a neighbour of a cell uniformly."""
        near = list(self.neighbours(cell))
        return near[rng.integers(len(near))]

    def canonical(self, cell: Cell) -> Cell:
        """Return the representative of all cells with the same `cell_hash`.

        It has no dead operators, so that a space with a fixed number of nodes may have no native
        string for it.
        """
        return canonical(cell)


class ProductSpace(Space):
    """A space of independent choices, such as one operator per edge."""

    @property
    @abstractmethod
    def options(self) -> tuple[int, ...]:
        """Number of options of every choice."""

    @property
    def n_variables(self) -> int:
        """Number of choices."""
        return len(self.options)

    @abstractmethod
    def compose(self, choices: Sequence[int]) -> Cell:
        """Build a cell from one option per choice, each below its entry in `options`."""

    @abstractmethod
    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the options of a cell, the inverse of `compose`."""

    def decode(self, point: Point) -> Cell:
        """Map each coordinate to the option of one choice, in equal parts of [0, 1]."""
        return self.compose([choice(x, n) for x, n in zip(point, self.options, strict=True)])

    def encode(self, cell: Cell) -> Point:
        """Return the centre of the points that decode to the cell."""
        middles = [(c + 0.5) / n for c, n in zip(self.choices(cell), self.options, strict=True)]
        return np.array(middles)

    def enumerate(self) -> Iterator[Cell]:
        """Yield every combination of options once, the last choice varying fastest."""
        if not self.enumerable:
            return super().enumerate()
        return map(self.compose, itertools.product(*map(range, self.options)))

    def count(self) -> int:
        """Return the product of the numbers of options."""
        return math.prod(self.options)

    def sample(self, n: int, seed: int | np.random.Generator) -> list[Cell]:
        """Sample n cells with uniform and independent choices, with replacement."""
        drawn = np.random.default_rng(seed).integers(self.options, size=(n, len(self.options)))
        return [self.compose(row) for row in drawn.tolist()]

    def neighbours(self, cell: Cell) -> Iterator[Cell]:
        """Yield the cells that differ in one choice."""
        choices = self.choices(cell)
        for place, n in enumerate(self.options):
            for option in range(n):
                if option != choices[place]:
                    yield self.compose((*choices[:place], option, *choices[place + 1 :]))

    def mutate(self, cell: Cell, rng: np.random.Generator) -> Cell:
        """Sample a neighbour of a cell uniformly, without listing all."""
        choices = list(self.choices(cell))
        others = np.cumsum(self.options) - np.arange(1, len(self.options) + 1)
        number = rng.integers(others[-1])
        place = int(np.searchsorted(others, number, side="right"))
        option = int(number - others[place] + self.options[place] - 1)
        choices[place] = option + (option >= choices[place])
        return self.compose(choices)


def choice(value: float, options: int) -> int:
    """Map [0, 1] evenly onto the integers below `options`."""
    return min(int(value * options), options - 1)


def _takers(text: str) -> list[str]:
    """Return the names of the known spaces that accept a string."""
    from snap_graphs.spaces import spaces

    takers = []
    for name, space in spaces().items():
        with suppress(SnapError):
            space.read(text)
            takers.append(name)
    return takers
