"""TransNAS-Bench-101: a cell-level (micro) and a macro-level space."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from snap_catalog import SnapError

from snap_graphs.arrays import Graphs, Ints
from snap_graphs.cell import INPUT, OUTPUT, Cell, edge_labelled
from snap_graphs.spaces.base import Costs, Point, ProductSpace, Space, choice, layer_costs

OPERATORS = ("none", "skip_connect", "conv1x1", "conv3x3")
"""By the benchmark's own digit."""
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_MICRO = re.compile(r"64-41414-([0-3])_([0-3]{2})_([0-3]{3})", flags=re.ASCII)

MODULES = ("module", "module-channels2", "module-stride2", "module-channels2-stride2")
"""By the benchmark's digit less one: two residual blocks each, the first of which may double the
channels and halve the image's side."""
_MACRO = re.compile(r"64-([1-4]{4,6})-basic", flags=re.ASCII)
_LENGTHS, _MOST_STRIDES, _MOST_DOUBLINGS = (4, 5, 6), 4, 3

_BASE, _CLASSES, _SIDE = 64, 75, 224 // 4
"""Channels and side (of an image of 224 x 224) after the stem; classes of object classification."""


class TransNasMicro(ProductSpace):
    """The cell-level space; native string `64-41414-a_bc_def`, one digit per edge."""

    name: ClassVar[str] = "transnas-micro"
    options: ClassVar[tuple[int, ...]] = (len(OPERATORS),) * len(EDGES)
    enumerable: ClassVar[bool] = True

    def read(self, text: str) -> Cell:
        """Read `64-41414-a_bc_def`: 0 none, 1 skip, 2 conv1x1, 3 conv3x3."""
        match = _MICRO.fullmatch(text)
        if match is None:
            raise SnapError(
                f"{text!r:.60} is no TransNAS-Bench-101 micro cell; "
                "expected 64-41414-a_bc_def with digits 0 to 3"
            )
        return self.compose([int(digit) for digit in "".join(match.groups())])

    def format(self, cell: Cell) -> str:
        """Write a cell as `64-41414-a_bc_def`."""
        a, b, c, d, e, f = self.choices(cell)
        return f"64-41414-{a}_{b}{c}_{d}{e}{f}"

    def compose(self, choices: Sequence[int]) -> Cell:
        """Give each of the six edges, in the order of `EDGES`, the operator of a digit."""
        operators = (OPERATORS[digit] for digit in choices)
        return edge_labelled(dict(zip(EDGES, operators, strict=True)))

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the six digits."""
        return tuple(OPERATORS.index(node) for node in cell.nodes[1:-1])

    def costs(self, graphs: Graphs) -> Costs:
        """Count the network for object classification: five modules of two cells, 75 classes.

        The image is 224 x 224, the side for which the benchmark states its FLOPs. A skip on an
        edge out of the input of a cell that changes the shape is a strided projection. Dead
        operators count too: the benchmark builds them.
        """
        costs = np.repeat(_stem(), len(graphs), axis=1)
        index = [graphs.index(operator) for operator in OPERATORS]
        operators = graphs.op.reshape(len(graphs), len(EDGES) + 2)[:, 1:-1]
        for entering, channels, stride, side in _cells(_SKELETON):
            for place, (source, _) in enumerate(EDGES):
                width, step = (entering, stride) if source == 0 else (channels, 1)
                for operator, number in zip(OPERATORS, index, strict=True):
                    hit = operators[:, place] == number
                    costs += hit * _operator(operator, width, channels, step, side)
        return Costs(*costs + _head(channels))


class TransNasMacro(Space):
    """The macro-level space; native string `64-<modules>-basic`, one digit per module.

    Four to six modules, of which one to four halve the image's side and one to three double the
    channels: 3,256 networks. The graph is the chain of modules.
    """

    name: ClassVar[str] = "transnas-macro"
    n_variables: ClassVar[int] = 3 + 2 * _LENGTHS[-1]
    enumerable: ClassVar[bool] = True

    def read(self, text: str) -> Cell:
        """Read `64-<modules>-basic`: 1 keeps the shape, 2 doubles channels, 3 halves, 4 both."""
        match = _MACRO.fullmatch(text)
        if match is None or not _is_valid(digits := tuple(map(int, match.group(1)))):
            raise SnapError(
                f"{text!r:.60} is no TransNAS-Bench-101 macro network; expected 64-ABCD-basic "
                "with 4 to 6 digits of 1 to 4, one to four of them 3 or 4, one to three 2 or 4"
            )
        return _chain(digits)

    def format(self, cell: Cell) -> str:
        """Write a chain of modules as `64-<modules>-basic`."""
        return f"64-{''.join(map(str, _digits(cell)))}-basic"

    def decode(self, point: Point) -> Cell:
        """Discretise the length, the numbers of halvings and doublings, and their positions.

        The modules with the highest of six coordinates halve the side; those with the highest of
        six others double the channels.
        """
        length = _LENGTHS[choice(point[0], len(_LENGTHS))]
        halvings = 1 + choice(point[1], _MOST_STRIDES)
        doublings = 1 + choice(point[2], _MOST_DOUBLINGS)
        longest = _LENGTHS[-1]
        halves = np.argsort(-point[3 : 3 + length], kind="stable")[:halvings]
        doubles = np.argsort(-point[3 + longest : 3 + longest + length], kind="stable")[:doublings]
        digits = np.ones(length, np.int64)
        digits[halves] += 2
        digits[doubles] += 1
        return _chain(tuple(digits.tolist()))

    def encode(self, cell: Cell) -> Point:
        """Return a point that decodes to the network."""
        digits = _digits(cell)
        halves, doubles = ([_has(digit, bit) for digit in digits] for bit in (2, 1))
        point = np.zeros(self.n_variables)
        point[0] = (_LENGTHS.index(len(digits)) + 0.5) / len(_LENGTHS)
        point[1] = (sum(halves) - 0.5) / _MOST_STRIDES
        point[2] = (sum(doubles) - 0.5) / _MOST_DOUBLINGS
        for start, bits in ((3, halves), (3 + _LENGTHS[-1], doubles)):
            point[start : start + len(bits)] = bits
        return point

    def enumerate(self) -> Iterator[Cell]:
        """Yield all 3,256 networks, short ones first."""
        strings = (itertools.product(range(1, 5), repeat=length) for length in _LENGTHS)
        return map(_chain, filter(_is_valid, itertools.chain(*strings)))

    def neighbours(self, cell: Cell) -> Iterator[Cell]:
        """Yield the networks with one module changed, removed or inserted, each once."""
        digits = _digits(cell)
        near = {digits[:i] + digits[i + 1 :] for i in range(len(digits))}
        for digit in range(1, 5):
            near |= {(*digits[:i], digit, *digits[i + 1 :]) for i in range(len(digits))}
            near |= {(*digits[:i], digit, *digits[i:]) for i in range(len(digits) + 1)}
        return map(_chain, sorted(filter(_is_valid, near - {digits})))

    def costs(self, graphs: Graphs) -> Costs:
        """Count the network for object classification: 75 classes, an image of 224 x 224."""
        chains = [_chain_costs(_digits(cell)) for cell in graphs.cells()]
        return Costs(*np.hstack([np.empty((3, 0), np.int64), *chains]))


def module_shapes(cell: Cell) -> list[tuple[int, int]]:
    """Return what every module of a macro network multiplies channels by, and its stride."""
    return [(1 + _has(digit, 1), 1 + _has(digit, 2)) for digit in _digits(cell)]


_SKELETON = (4, 1, 4, 1, 4)
"""The modules around the micro space's cells."""


def _has(digit: int, bit: int) -> bool:
    """Return whether a module halves the side (bit 2) or doubles the channels (bit 1)."""
    return (digit - 1) & bit > 0


def _is_valid(digits: tuple[int, ...]) -> bool:
    halvings, doublings = (sum(_has(digit, bit) for digit in digits) for bit in (2, 1))
    known = len(digits) in _LENGTHS
    return known and 1 <= halvings <= _MOST_STRIDES and 1 <= doublings <= _MOST_DOUBLINGS


def _chain(digits: tuple[int, ...]) -> Cell:
    edges = tuple(itertools.pairwise(range(len(digits) + 2)))
    return Cell((INPUT, *(MODULES[digit - 1] for digit in digits), OUTPUT), edges)


def _digits(cell: Cell) -> tuple[int, ...]:
    return tuple(1 + MODULES.index(node) for node in cell.nodes[1:-1])


def _cells(digits: tuple[int, ...]) -> Iterator[tuple[int, int, int, int]]:
    """Yield, for both cells of every module, channels in and out, the stride and the side out."""
    channels, side = _BASE, _SIDE
    for digit in digits:
        entering, stride = channels, 1 + _has(digit, 2)
        channels *= 1 + _has(digit, 1)
        side = -(-side // stride)
        yield entering, channels, stride, side
        yield channels, channels, 1, side


def _stem() -> Ints:
    """Count two 3x3 convolutions of stride 2."""
    half = _BASE // 2
    first = layer_costs(9 * 3 * half, 2 * half, half, 2 * _SIDE)
    return first + layer_costs(9 * half * _BASE, 2 * _BASE, _BASE, _SIDE)


def _head(channels: int) -> Ints:
    return layer_costs(channels * _CLASSES, _CLASSES, _CLASSES, 1)


def _operator(operator: str, entering: int, channels: int, stride: int, side: int) -> Ints:
    """Count an operator of the micro space."""
    if operator == "none" or (operator == "skip_connect" and (entering, stride) == (channels, 1)):
        return layer_costs(0, 0, 0, side)
    weights = entering * channels * (9 if operator == "conv3x3" else 1)
    return layer_costs(weights, 2 * channels, channels, side)


def _chain_costs(digits: tuple[int, ...]) -> Ints:
    """Count a macro network; blocks are two 3x3 convolutions and a shortcut."""
    costs, channels = _stem(), _BASE
    for entering, channels, stride, side in _cells(digits):
        costs += layer_costs(9 * entering * channels, 2 * channels, channels, side)
        costs += layer_costs(9 * channels**2, 2 * channels, channels, side)
        if (entering, stride) != (channels, 1):
            costs += layer_costs(entering * channels, 2 * channels, channels, side)
    return costs + _head(channels)
