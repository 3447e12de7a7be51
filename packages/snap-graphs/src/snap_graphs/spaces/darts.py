"""DARTS: a normal and a reduction cell of four nodes, two incoming edges each."""

import itertools
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from snap_catalog import SnapError

from snap_graphs.arrays import Dense, Graphs, Ints
from snap_graphs.cell import Cell
from snap_graphs.spaces.base import Costs, ProductSpace, layer_costs
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
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
INDICES = OPERATORS[1:]
"""NASLib's and NAS-Bench-301's numbering of operators, which has no `none`."""

STEPS = 4
_CONCAT = tuple(range(2, 2 + STEPS))
_SOURCES = tuple(tuple(itertools.permutations(range(2 + step), 2)) for step in range(STEPS))
"""By inner node: the ordered pairs of its possible source nodes."""
_STEP_OPTIONS = tuple((len(pairs), len(OPERATORS), len(OPERATORS)) for pairs in _SOURCES)

_IMAGENET_SIDE = 64
"""Images of this side or more take the ImageNet stem, which divides the side by 8."""
_NORMAL = slice(2, 2 + 2 * STEPS)
_REDUCE = slice(2 + 2 * STEPS, 2 + 4 * STEPS)


class Darts(ProductSpace):
    """The DARTS search space; native string `Genotype(normal=[...], normal_concat=..., ...)`.

    The order of a node's two edges has no meaning but is kept: each cell has 16 forms, both
    together 256. If `concat` has fewer than four nodes, these alone form the output of the cell.
    Points, samples and neighbours have all four; `choices` refuses others.
    """

    name: ClassVar[str] = "darts"
    options: ClassVar[tuple[int, ...]] = tuple(itertools.chain(*_STEP_OPTIONS)) * 2

    def read(self, text: str) -> Cell:
        """Parse a genotype in any form of `parse_genotype`."""
        return self.cell(parse_genotype(text, INDICES))

    def cell(self, genotype: Genotype) -> Cell:
        """Join the two cells of a genotype.

        Raises:
            SnapError: the space has no such genotype.
        """
        names = {operator for operator, _ in (*genotype.normal, *genotype.reduce)}
        unknown = sorted(names - set(OPERATORS))
        if unknown:
            raise SnapError(f"DARTS has no operator {unknown[0]!r}; it has {', '.join(OPERATORS)}")
        if genotype.steps != STEPS:
            raise SnapError(f"a DARTS cell has the nodes 2 to 5, not {genotype.steps} of them")
        for pairs in (genotype.normal, genotype.reduce):
            for place in range(0, len(pairs), 2):
                if pairs[place][1] == pairs[place + 1][1]:
                    raise SnapError(
                        f"node {2 + place // 2} takes both inputs from {pairs[place][1]}; "
                        "DARTS requires two different ones"
                    )
        return to_cell(genotype)

    def format(self, cell: Cell) -> str:
        """Format a cell as `Genotype(normal=[...], normal_concat=range(2, 6), ...)`."""
        return format_genotype(to_genotype(cell))

    def compose(self, choices: Sequence[int]) -> Cell:
        """Build the cells from the two sources and operators of every inner node."""
        pairs: list[Pair] = []
        for place in range(0, len(choices), 3):
            sources = _SOURCES[place // 3 % STEPS][choices[place]]
            operators = (OPERATORS[choice] for choice in choices[place + 1 : place + 3])
            pairs += zip(operators, sources, strict=True)
        half = 2 * STEPS
        return to_cell(Genotype(tuple(pairs[:half]), _CONCAT, tuple(pairs[half:]), _CONCAT))

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the indices of the sources and of the two operators of every inner node.

        Raises:
            SnapError: the output of a cell does not have all four nodes.
        """
        genotype = to_genotype(cell)
        if genotype.normal_concat != _CONCAT or genotype.reduce_concat != _CONCAT:
            raise SnapError(
                "points of the darts space are cells whose output has all four nodes; "
                "this cell has fewer"
            )
        chosen: list[int] = []
        for pairs in (genotype.normal, genotype.reduce):
            for step in range(STEPS):
                (first, source), (second, other) = pairs[2 * step : 2 * step + 2]
                chosen.append(_SOURCES[step].index((source, other)))
                chosen += OPERATORS.index(first), OPERATORS.index(second)
        return tuple(chosen)

    def costs(self, graphs: Graphs) -> Costs:
        """Count the CIFAR-10 network: 20 cells, 36 channels first, 10 classes."""
        return network_costs(graphs, layers=20, channels=36, classes=10, image=32)


def network_costs(graphs: Graphs, *, layers: int, channels: int, classes: int, image: int) -> Costs:
    """Count the networks of the DARTS authors around cells, without auxiliary head.

    Convolutions have no bias; batch normalisations are affine. Dead operators count too, as
    they are part of the network.

    Args:
        graphs: cells of this space.
        layers: number of cells; those at one and two thirds are reduction cells.
        channels: channels of the first cells.
        classes: outputs of the classifier.
        image: side of the square images in pixels; from 64, the ImageNet stem is used.
    """
    fixed, stem_channels, stem_side = _stem(channels, image)
    costs = np.zeros((len(fixed), len(graphs)), np.int64)
    for part in graphs.dense():
        total = np.repeat(fixed, len(part.rows), axis=1)
        entering: list[int | Ints] = [stem_channels] * 2
        width, side = channels, stem_side
        for number in range(layers):
            reduction = number in (layers // 3, 2 * layers // 3)
            width *= 1 + reduction
            total += layer_costs(sum(entering) * width, 4 * width, 2 * width, side)
            side = -(-side // (1 + reduction))
            total += _operators(graphs, part, width, side, reduction)
            joined = part.adjacency[:, _REDUCE if reduction else _NORMAL, -1].sum(axis=1) // 2
            entering = [entering[1], joined * width]
        costs[:, part.rows] = total + layer_costs(entering[1] * classes, classes, classes, 1)
    return Costs(*costs)


def _stem(channels: int, image: int) -> tuple[Ints, int, int]:
    """Return the (3, 1) costs, the output channels and the output side of the stem."""
    half, stride = channels // 2, 1
    convolutions = [(3, 3 * channels)]
    if image >= _IMAGENET_SIDE:
        convolutions, stride = [(3, half), (half, channels), (channels, channels)], 2
    costs, side = layer_costs(0, 0, 0, image), image
    for entering, leaving in convolutions:
        side = -(-side // stride)
        costs += layer_costs(9 * entering * leaving, 2 * leaving, leaving, side)
    return costs, leaving, side


def _operators(graphs: Graphs, part: Dense, channels: int, side: int, reduction: bool) -> Ints:
    """Return (3, b) costs of the operators of one cell.

    Args:
        graphs: graphs with the vocabulary.
        part: the graphs.
        channels: channels of the cell's operators.
        side: side of the output feature maps.
        reduction: whether operators on the cell's inputs have stride 2.
    """
    where = _REDUCE if reduction else _NORMAL
    strided = np.logical_and(~part.adjacency[:, where, where].any(axis=1), reduction)
    costs = np.zeros((len(Costs._fields), len(part.rows)), np.int64)
    for operator in OPERATORS:
        hit = part.op[:, where] == graphs.index(operator)
        for stride, chosen in ((1, hit & ~strided), (2, hit & strided)):
            costs += chosen.sum(axis=1) * _operator(operator, channels, stride, side)
    return costs


def _operator(operator: str, channels: int, stride: int, side: int) -> Ints:
    """Count one operator; depthwise convolutions share a normalisation with the 1x1 after them."""
    kind, kernel = operator[:4], int(operator[-1]) if operator[-1].isdigit() else 0
    separable = kernel**2 * channels + channels**2
    if kind == "sep_":
        return layer_costs(2 * separable, 4 * channels, 4 * channels, side)
    if kind == "dil_":
        return layer_costs(separable, 2 * channels, 2 * channels, side)
    if operator == "skip_connect" and stride == 2:
        return layer_costs(channels**2, 2 * channels, channels, side)
    return layer_costs(0, 0, 0, side)
