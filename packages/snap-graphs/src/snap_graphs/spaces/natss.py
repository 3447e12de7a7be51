"""NATS-Bench's size space: the channels of five layers of a network, each one of eight numbers."""

import itertools
import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from snap_catalog import SnapError

from snap_graphs.arrays import Graphs, Ints
from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.spaces.base import Costs, ProductSpace, layer_costs

CHANNELS = (8, 16, 24, 32, 40, 48, 56, 64)
LAYERS = ("cell", "reduction", "cell", "reduction", "cell")
"""The five layers; a reduction is a residual block of stride 2."""
_SIDES = (32, 16, 16, 8, 8)
"""Image side after each layer."""
_CLASSES = 10
_STRING = re.compile(r"\d+(?::\d+){4}", flags=re.ASCII)


class NatsSize(ProductSpace):
    """The size space; native string `8:16:24:32:40`, the channels of the layers.

    The graph is the chain of the layers, whose operators name kind and channels (`cell_c8`,
    `reduction_c16`). Every cell is the NAS-Bench-201 cell
    `|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|`.
    """

    name: ClassVar[str] = "natss"
    enumerable: ClassVar[bool] = True
    options: ClassVar[tuple[int, ...]] = (len(CHANNELS),) * len(LAYERS)

    def read(self, text: str) -> Cell:
        """Parse `8:16:24:32:40`."""
        match = _STRING.fullmatch(text)
        channels = text.split(":")
        known = [str(c) for c in CHANNELS]
        if match is None or set(channels) - set(known):
            raise SnapError(
                f"{text!r:.80} is not a network of NATS-Bench's size space; expected five numbers "
                f"such as 8:16:24:32:40, each one of {', '.join(known)}"
            )
        return self.compose([known.index(c) for c in channels])

    def format(self, cell: Cell) -> str:
        """Format the channels of the layers as `8:16:24:32:40`."""
        return ":".join(str(_width(node)) for node in cell.nodes[1:-1])

    def compose(self, choices: Sequence[int]) -> Cell:
        """Give each of the five layers one of the eight numbers of channels."""
        layers = zip(LAYERS, choices, strict=True)
        names = (f"{layer}_c{CHANNELS[choice]}" for layer, choice in layers)
        return Cell((INPUT, *names, OUTPUT), tuple(itertools.pairwise(range(len(LAYERS) + 2))))

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the five numbers of channels as indices into `CHANNELS`."""
        return tuple(CHANNELS.index(_width(node)) for node in cell.nodes[1:-1])

    def costs(self, graphs: Graphs) -> Costs:
        """Count the CIFAR-10 network: a 3x3 convolution, five layers, pooling, 10 classes.

        Convolutions have no bias and are followed by an affine batch normalisation, except the
        1x1 shortcut of a reduction, which follows an average pooling.
        """
        of_word = np.array([_width(word) for word in graphs.vocabulary], np.int64)
        width = of_word[graphs.op].reshape(len(graphs), len(LAYERS) + 2)[:, 1:-1]
        entering = width[:, 0]
        costs = layer_costs(9 * 3 * entering, 2 * entering + 2 * width[:, -1], entering, _SIDES[0])
        for layer, side, out in zip(LAYERS, _SIDES, width.T, strict=True):
            costs += (_reduction if layer == "reduction" else _cell)(entering, out, side)
            entering = out
        return Costs(*costs + layer_costs(entering * _CLASSES, _CLASSES, _CLASSES, 1))


def _width(operator: str) -> int:
    """Return the channels in an operator's name, 0 for input and output."""
    return int(operator.rpartition("_c")[2]) if "_c" in operator else 0


def _cell(entering: Ints, out: Ints, side: int) -> Ints:
    """Count the cell.

    Two 3x3 convolutions and a skip leave its input; where channels change the skip is a 1x1
    convolution.
    """
    changes = entering != out
    weights = 2 * 9 * entering * out + 3 * 9 * out * out + changes * entering * out
    channels = (5 + changes) * out
    return layer_costs(weights, 2 * channels, channels, side)


def _reduction(entering: Ints, out: Ints, side: int) -> Ints:
    """Count a residual block with a 1x1 shortcut."""
    weights = 9 * entering * out + 9 * out * out + entering * out
    return layer_costs(weights, 2 * 2 * out, 3 * out, side)
