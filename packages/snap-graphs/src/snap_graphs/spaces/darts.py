"""DARTS: a normal and a reduction cell of four nodes, two incoming edges each."""

import itertools
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from snap_catalog import SnapError

from snap_graphs.arrays import Dense, Graphs, Ints
from snap_graphs.cell import Cell
from snap_graphs.spaces.base import Costs, ProductSpace
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
"""By inner node: the ordered pairs of two nodes that it may take its inputs from."""
_STEP_OPTIONS = tuple((len(pairs), len(OPERATORS), len(OPERATORS)) for pairs in _SOURCES)

_CELLS, _CHANNELS, _SIDE, _CLASSES = 20, 36, 32, 10
_REDUCTIONS = (_CELLS // 3, 2 * _CELLS // 3)
_NORMAL = slice(2, 2 + 2 * STEPS)
_REDUCE = slice(2 + 2 * STEPS, 2 + 4 * STEPS)


class Darts(ProductSpace):
    """The DARTS search space; native string `Genotype(normal=[...], normal_concat=..., ...)`.

    The order of a node's two edges carries no meaning but is kept: either cell can be written in
    16 ways, both together in 256.
    """

    name: ClassVar[str] = "darts"
    options: ClassVar[tuple[int, ...]] = tuple(itertools.chain(*_STEP_OPTIONS)) * 2
    n_variables: ClassVar[int] = len(options)

    def parse(self, arch_id: str) -> Cell:
        """Read a genotype in any form that `parse_genotype` knows."""
        return self.cell(parse_genotype(arch_id, INDICES))

    def cell(self, genotype: Genotype) -> Cell:
        """Join the two cells of a genotype.

        Raises:
            SnapError: it is none of this space.
        """
        names = {operator for operator, _ in (*genotype.normal, *genotype.reduce)}
        unknown = sorted(names - set(OPERATORS))
        if unknown:
            raise SnapError(f"DARTS has no operator {unknown[0]!r}; it has {', '.join(OPERATORS)}")
        if genotype.normal_concat != _CONCAT or genotype.reduce_concat != _CONCAT:
            raise SnapError("a DARTS cell has the nodes 2 to 5, all of them its output")
        for pairs in (genotype.normal, genotype.reduce):
            for place in range(0, len(pairs), 2):
                if pairs[place][1] == pairs[place + 1][1]:
                    raise SnapError(
                        f"node {2 + place // 2} takes both inputs from {pairs[place][1]}; "
                        "DARTS wants two different ones"
                    )
        return to_cell(genotype)

    def format(self, cell: Cell) -> str:
        """Write a cell as `Genotype(normal=[...], normal_concat=range(2, 6), ...)`."""
        return format_genotype(to_genotype(cell))

    def compose(self, choices: Sequence[int]) -> Cell:
        """Build the cells of, for every inner node, its two sources and two operators."""
        pairs: list[Pair] = []
        for place in range(0, len(choices), 3):
            sources = _SOURCES[place // 3 % STEPS][choices[place]]
            operators = (OPERATORS[choice] for choice in choices[place + 1 : place + 3])
            pairs += zip(operators, sources, strict=True)
        half = 2 * STEPS
        return to_cell(Genotype(tuple(pairs[:half]), _CONCAT, tuple(pairs[half:]), _CONCAT))

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return, for every inner node, the place of its sources and of its two operators."""
        genotype = to_genotype(cell)
        chosen: list[int] = []
        for pairs in (genotype.normal, genotype.reduce):
            for step in range(STEPS):
                (first, source), (second, other) = pairs[2 * step : 2 * step + 2]
                chosen.append(_SOURCES[step].index((source, other)))
                chosen += OPERATORS.index(first), OPERATORS.index(second)
        return tuple(chosen)

    def costs(self, graphs: Graphs) -> Costs:
        """Count the CIFAR-10 network: 20 cells, 36 channels first, 10 classes, no auxiliary head.

        Convolutions have no bias; batch normalisations are affine. Dead operators count too: the
        network is built with them.
        """
        params = np.zeros(len(graphs), np.int64)
        flops = np.zeros(len(graphs), np.int64)
        for part in graphs.dense():
            params[part.rows], flops[part.rows] = _network(graphs, part)
        return Costs(params, flops)


def _network(graphs: Graphs, part: Dense) -> tuple[Ints, Ints]:
    """Return (b,) parameters and multiply-adds of the networks of graphs of one size."""
    count, stem = len(part.rows), 3 * _CHANNELS
    params = np.full(count, 27 * stem + 2 * stem, np.int64)
    flops = np.full(count, 27 * stem * _SIDE**2, np.int64)
    entering = [stem, stem]
    channels, side = _CHANNELS, _SIDE
    for number in range(_CELLS):
        reduction = number in _REDUCTIONS
        channels *= 1 + reduction
        weights = sum(entering) * channels
        params += weights + 4 * channels
        flops += weights * side**2
        operators = _operators(graphs, part, channels, side, reduction)
        params += operators[0]
        flops += operators[1]
        side //= 1 + reduction
        entering = [entering[1], STEPS * channels]
    return params + entering[1] * _CLASSES + _CLASSES, flops + entering[1] * _CLASSES


def _operators(
    graphs: Graphs, part: Dense, channels: int, side: int, reduction: bool
) -> tuple[Ints, Ints]:
    """Return (b,) parameters and multiply-adds of the operators of one cell.

    Args:
        graphs: holds the vocabulary.
        part: the graphs.
        channels: of the cell's operators.
        side: of the feature maps that enter the cell.
        reduction: whether operators on the cell's inputs have stride 2.
    """
    where = _REDUCE if reduction else _NORMAL
    strided = np.logical_and(~part.adjacency[:, where, where].any(axis=1), reduction)
    area = (side // (1 + reduction)) ** 2
    params, flops = (np.zeros(len(part.rows), np.int64) for _ in range(2))
    for operator in OPERATORS:
        hit = part.op[:, where] == graphs.index(operator)
        for stride, chosen in ((1, hit & ~strided), (2, hit & strided)):
            weights, scales = _weights(operator, channels, stride)
            number = chosen.sum(axis=1)
            params += number * (weights + scales)
            flops += number * weights * area
    return params, flops


def _weights(operator: str, channels: int, stride: int) -> tuple[int, int]:
    """Return weights of an operator's convolutions, and of its normalisations."""
    kind, kernel = operator[:4], int(operator[-1]) if operator[-1].isdigit() else 0
    separable = kernel**2 * channels + channels**2
    if kind == "sep_":
        return 2 * separable, 4 * channels
    if kind == "dil_":
        return separable, 2 * channels
    if operator == "skip_connect" and stride == 2:
        return channels**2, 2 * channels
    return 0, 0
