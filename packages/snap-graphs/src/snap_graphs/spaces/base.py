"""What every search space offers."""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
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
        activations: elements that convolutions (Radosavovic et al., "Designing Network Design
            Spaces", CVPR 2020, section 3.1) and linear layers put out for one image.
    """

    params: Ints
    flops: Ints
    activations: Ints


class NodeFacts(NamedTuple):
    """What is known of the nodes of whole networks: one list per graph, one entry per node.

    Attributes:
        shapes: of what every node puts out, without the batch.
        params: trainable parameters; None if nothing is counted.
        flops: multiply-adds for one input; likewise.
    """

    shapes: list[list[tuple[int, ...]]]
    params: list[list[int]] | None
    flops: list[list[int]] | None


def layer_costs(weights: int | Ints, scales: int | Ints, channels: int | Ints, side: int) -> Ints:
    """Count layers that put out feature maps of one side.

    A linear layer is a convolution of side 1, its bias counted with the scales.

    Args:
        weights: of the convolutions; one number or, as the next two, one per graph.
        scales: further parameters, which cost no multiply-adds: of normalisations, and biases.
        channels: that the convolutions put out, all together.
        side: of what they put out, in pixels.

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
        """Length of the points that `decode` takes and `encode` gives."""

    @property
    def enumerable(self) -> bool:
        """Whether the whole space is listed in a moment, so that a search may rank it."""
        return False

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the metadata of a table say of the space; nothing of one in the catalog."""
        return {}

    @property
    def withheld_code(self) -> str:
        """A line on the code that a user's own space names but that is not imported; else empty."""
        return ""

    def parse(self, arch_id: str) -> Cell:
        """Read the space's native string, as scripts and logs print it.

        Raises:
            SnapError: it is none; the error names the known spaces that take it.
        """
        text = arch_id.strip()
        try:
            return self.read(text)
        except SnapError as error:
            takers = _takers(text)
            if not takers:
                raise
            raise SnapError(f"{error}; the space {' or '.join(takers)} takes it") from error

    @abstractmethod
    def read(self, text: str) -> Cell:
        """Read the space's native string, which has no blanks around it.

        Raises:
            SnapError: it is none.
        """

    @abstractmethod
    def format(self, cell: Cell) -> str:
        """Write a cell as the space's native string."""

    @abstractmethod
    def decode(self, point: Point) -> Cell:
        """Discretise a point of [0, 1]^n_variables (paper, Algorithm 1); every point is a cell."""

    def encode(self, cell: Cell) -> Point:
        """Return a point that decodes to the cell."""
        raise NotImplementedError(f"{self.name} gives no points")

    def costs(self, graphs: Graphs) -> Costs | None:
        """Compute what the networks built from the cells cost; None if unknown."""
        return None

    def node_facts(self, cells: Sequence[Cell]) -> NodeFacts | None:
        """Return what is known of each node of whole networks; None if graphs are of cells."""
        return None

    def enumerate(self) -> Iterator[Cell]:
        """Yield every cell once.

        Raises:
            SnapError: the space is too large to be listed.
        """
        raise SnapError(f"{self.name} is too large to be listed; draw a sample of it instead")

    def count(self) -> int:
        """Return how many cells the space has: as many as `enumerate` yields, where it does."""
        return sum(1 for _ in self.enumerate())

    def sample(self, n: int, seed: int | np.random.Generator) -> list[Cell]:
        """Draw n cells, with replacement and uniformly over the space's native strings.

        Args:
            n: how many.
            seed: of the draw; a generator goes on from where it is.
        """
        cells = list(self.enumerate())
        return [cells[i] for i in np.random.default_rng(seed).integers(len(cells), size=n)]

    def neighbours(self, cell: Cell) -> Iterator[Cell]:
        """Yield the cells that one edit of the native string away from `cell`, each once."""
        raise NotImplementedError(f"{self.name} knows no neighbours")

    def mutate(self, cell: Cell, rng: np.random.Generator) -> Cell:
        """Draw one of a cell's neighbours uniformly."""
        near = list(self.neighbours(cell))
        return near[rng.integers(len(near))]

    def canonical(self, cell: Cell) -> Cell:
        """Return the one cell that stands for all of the same `cell_hash`.

        It has no dead operators, so that a space with a fixed number of nodes may be unable to
        write it as a native string, unless it says otherwise.
        """
        return canonical(cell)


class ProductSpace(Space):
    """A space whose cells are independent choices, as one operator for each of some edges."""

    @property
    @abstractmethod
    def options(self) -> tuple[int, ...]:
        """Number of options of every choice."""

    @abstractmethod
    def compose(self, choices: Sequence[int]) -> Cell:
        """Build the cell of one option a choice, each below its entry in `options`."""

    @abstractmethod
    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the options that `compose` builds the cell of."""

    def decode(self, point: Point) -> Cell:
        """Let each coordinate, in equal parts of [0, 1], pick the option of one choice."""
        return self.compose([choice(x, n) for x, n in zip(point, self.options, strict=True)])

    def encode(self, cell: Cell) -> Point:
        """Return the middle of the box of points that decode to the cell."""
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
        """Draw every choice of n cells uniformly and independently, with replacement."""
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
        """Draw one of a cell's neighbours uniformly, without listing them."""
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
    """Return the names of the known spaces that read a string."""
    from snap_graphs.spaces import spaces

    return [name for name, space in spaces().items() if _takes(space, text)]


def _takes(space: Space, text: str) -> bool:
    try:
        space.read(text)
    except SnapError:
        return False
    return True
