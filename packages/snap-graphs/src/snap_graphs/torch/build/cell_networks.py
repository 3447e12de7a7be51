"""Build the networks of NAS-Bench-101, NAS-Bench-201 and TransNAS-Bench-101."""

from collections.abc import Iterator

import numpy as np
import torch
from snap_catalog import SnapError
from torch import Tensor, nn

from snap_graphs import Cell
from snap_graphs.canonical import prune
from snap_graphs.spaces.nb101 import vertex_channels
from snap_graphs.spaces.nb201 import EDGES
from snap_graphs.spaces.transnas import module_shapes
from snap_graphs.torch.build.operators import (
    EdgeCell,
    conv_bn,
    edge_operator,
    head,
    relu_conv_bn,
    stem_by_4,
)
from snap_graphs.torch.build.size import Size

_TRANSNAS_MODULES = ((2, 2), (1, 1), (2, 2), (1, 1), (2, 2))
"""Channel factor and stride of the first cell, by module of TransNAS-Bench-101."""
_NB101_MOMENTUM, _NB101_KERNELS = 1 - 0.997, {"conv3x3-bn-relu": 3, "conv1x1-bn-relu": 1}


def nb201_network(cell: Cell, size: Size) -> nn.Module:
    """Build NAS-Bench-201's network: three stages of cells with residual blocks between them."""
    parts: list[nn.Module] = [*conv_bn(3, size.channels, 3)]
    for stage in range(3):
        channels = size.channels * 2**stage
        parts += [_ResidualBlock(channels // 2, channels)] if stage else []
        parts += [_edge_cell(cell, channels, channels, 1) for _ in range(size.layers // 3)]
    return nn.Sequential(*parts, nn.BatchNorm2d(channels), nn.ReLU(), *head(channels, size.classes))


def transnas_micro_network(cell: Cell, size: Size) -> nn.Module:
    """Build TransNAS-Bench-101's micro network (modules 41414) with a classifier.

    The benchmark's heads for its other tasks are not built.
    """
    channels = size.channels
    cells = []
    for factor, stride in _TRANSNAS_MODULES:
        cells.append(_edge_cell(cell, channels, channels * factor, stride))
        channels *= factor
        more = size.layers // len(_TRANSNAS_MODULES) - 1
        cells += [_edge_cell(cell, channels, channels, 1) for _ in range(more)]
    return nn.Sequential(*stem_by_4(size.channels), *cells, *head(channels, size.classes))


def transnas_macro_network(cell: Cell, size: Size) -> nn.Module:
    """Build the network of a chain of TransNAS-Bench-101's modules, with a classifier.

    A module has `size.layers` residual blocks (He et al., "Deep Residual Learning for Image
    Recognition", CVPR 2016); the first one changes the shape.
    """
    channels = size.channels
    blocks = []
    for factor, stride in module_shapes(cell):
        blocks.append(_BasicBlock(channels, channels * factor, stride))
        channels *= factor
        blocks += [_BasicBlock(channels, channels, 1) for _ in range(size.layers - 1)]
    return nn.Sequential(
        *stem_by_4(size.channels), nn.ReLU(), *blocks, *head(channels, size.classes)
    )


def nb101_network(cell: Cell, size: Size) -> nn.Module:
    """Build NAS-Bench-101's network: three stacks of cells, separated by max pooling."""
    parts = [*_conv_bn_relu(3, size.channels, 3)]
    entering = size.channels
    for stack in range(3):
        channels = size.channels * 2**stack
        parts += [nn.MaxPool2d(2, ceil_mode=True)] if stack else []
        for _ in range(size.layers // 3):
            parts.append(_VertexCell(cell, entering, channels))
            entering = channels
    return nn.Sequential(*parts, *head(channels, size.classes))


def _edge_cell(cell: Cell, entering: int, channels: int, stride: int) -> EdgeCell:
    """Build a cell of four vertices; operators on its input change the shape."""
    operators = (
        edge_operator(name, *((channels, channels, 1) if src else (entering, channels, stride)))
        for name, (src, _) in zip(cell.nodes[1:-1], EDGES, strict=True)
    )
    return EdgeCell(EDGES, operators, EDGES[-1][1:])


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions, the first of stride 2, plus average pooling and a 1x1 convolution."""

    def __init__(self, entering: int, channels: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            relu_conv_bn(entering, channels, 3, 2), relu_conv_bn(channels, channels, 3)
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(entering, channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.convolutions(x) + self.shortcut(x)
        return found


class _BasicBlock(nn.Module):
    """Two 3x3 convolutions plus the identity, or a 1x1 convolution if the shape changes."""

    def __init__(self, entering: int, channels: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *conv_bn(entering, channels, 3, stride), nn.ReLU(), *conv_bn(channels, channels, 3)
        )
        kept = (entering, stride) == (channels, 1)
        self.shortcut = nn.Sequential(*([] if kept else conv_bn(entering, channels, 1, stride)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.convolutions(x) + self.shortcut(x))


class _VertexCell(nn.Module):
    """A cell of NAS-Bench-101 without dead vertices.

    Edges out of the input carry 1x1 projections. A vertex truncates its inputs to its own number
    of channels and sums them. The output concatenates its inputs, and adds a projection of the
    cell's input if an edge connects them.
    """

    def __init__(self, cell: Cell, entering: int, channels: int) -> None:
        super().__init__()
        live = prune(cell)
        self.last = len(live.nodes) - 1
        if not live.edges:
            raise SnapError("the cell joins its input and output by no path; choose another")
        self.edges = live.edges
        adjacency = np.zeros((1, self.last + 1, self.last + 1), np.bool_)
        for src, dst in live.edges:
            adjacency[0, src, dst] = True
        self.channels: list[int] = vertex_channels(adjacency, channels)[0].tolist()
        self.projections = nn.ModuleDict(
            {
                str(dst): nn.Sequential(*_conv_bn_relu(entering, self.channels[dst], 1))
                for src, dst in live.edges
                if src == 0
            }
        )
        self.operators = nn.ModuleList(
            _vertex_operator(name, width)
            for name, width in zip(live.nodes[1:-1], self.channels[1:-1], strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        values: dict[int, Tensor] = {}
        for vertex, operator in enumerate(self.operators, start=1):
            values[vertex] = operator(sum(self._entering(x, values, vertex)))
        outputs = [values[src] for src, dst in self.edges if dst == self.last and src]
        if str(self.last) in self.projections:
            direct: Tensor = self.projections[str(self.last)](x)
            return torch.cat(outputs, dim=1) + direct if outputs else direct
        return torch.cat(outputs, dim=1)

    def _entering(self, x: Tensor, values: dict[int, Tensor], vertex: int) -> Iterator[Tensor]:
        for src, dst in self.edges:
            if dst == vertex and src == 0:
                yield self.projections[str(dst)](x)
            elif dst == vertex:
                yield values[src][:, : self.channels[dst]]


def _vertex_operator(name: str, channels: int) -> nn.Module:
    if name == "maxpool3x3":
        return nn.MaxPool2d(3, 1, padding=1)
    return nn.Sequential(*_conv_bn_relu(channels, channels, _NB101_KERNELS[name]))


def _conv_bn_relu(entering: int, channels: int, kernel: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(entering, channels, kernel, padding=kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(channels, momentum=_NB101_MOMENTUM), nn.ReLU()
