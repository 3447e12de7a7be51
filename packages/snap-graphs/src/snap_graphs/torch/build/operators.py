"""Build the operators of the search spaces as modules.

Only strides change the side of images. Convolutions have no bias; batch normalisations are affine.
"""

from collections.abc import Callable, Iterable, Mapping

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class Zero(nn.Module):
    """Return zeros for any input: the operator `none`."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, c, h, w) to zeros of (b, channels, h / stride, w / stride), rounded up."""
        count, _, height, width = x.shape
        side = (-(-height // self.stride), -(-width // self.stride))
        return x.new_zeros(count, self.channels, *side)


class FactorizedReduce(nn.Module):
    """Halve the side by two 1x1 convolutions of stride 2, the second shifted by one pixel."""

    def __init__(self, entering: int, channels: int) -> None:
        super().__init__()
        even = channels // 2
        self.even = nn.Conv2d(entering, even, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(entering, channels - even, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, entering, h, w) to (b, channels, h / 2, w / 2), rounded up."""
        x = torch.relu(x)
        shifted = F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        joined = torch.cat([self.even(x), self.odd(shifted)], dim=1)
        normalised: Tensor = self.norm(joined)
        return normalised


def conv_bn(entering: int, channels: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Return a convolution and a batch normalisation."""
    convolution = nn.Conv2d(entering, channels, kernel, stride, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(channels)]


def relu_conv_bn(entering: int, channels: int, kernel: int = 1, stride: int = 1) -> nn.Module:
    """Return ReLU, convolution and batch normalisation in sequence."""
    return nn.Sequential(nn.ReLU(), *conv_bn(entering, channels, kernel, stride))


def projection(entering: int, channels: int, stride: int) -> nn.Module:
    """Return the identity, or a projection if the shape changes."""
    if stride == 2:
        return FactorizedReduce(entering, channels)
    return nn.Identity() if entering == channels else relu_conv_bn(entering, channels)


def stem_by_4(channels: int) -> list[nn.Module]:
    """Return two 3x3 convolutions of stride 2 that map 3 channels to `channels`."""
    half = channels // 2
    return [*conv_bn(3, half, 3, 2), nn.ReLU(), *conv_bn(half, channels, 3, 2)]


def head(channels: int, classes: int) -> list[nn.Module]:
    """Return global average pooling and a linear classifier."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


class EdgeCell(nn.Module):
    """A cell with an operator on every edge; each node sums its incoming edges."""

    def __init__(
        self, edges: Iterable[tuple[int, int]], operators: Iterable[nn.Module], ends: Iterable[int]
    ) -> None:
        """Combine operators.

        Args:
            edges: (source, target) nodes, sorted by target; the inputs come first.
            operators: one per edge.
            ends: the nodes whose sum is the output.
        """
        super().__init__()
        self.edges, self.ends = tuple(edges), tuple(ends)
        self.operators = nn.ModuleList(operators)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map (b, c, h, w) inputs to one (b, channels, h / stride, w / stride) output."""
        values = dict(enumerate(inputs))
        for (src, dst), operator in zip(self.edges, self.operators, strict=True):
            found = operator(values[src])
            values[dst] = values[dst] + found if dst in values else found
        first, *others = (values[end] for end in self.ends)
        return sum(others, start=first)


def edge_operator(name: str, entering: int, channels: int, stride: int) -> nn.Module:
    """Build an operator of NAS-Bench-201 or TransNAS-Bench-101.

    Args:
        name: name of the operator in the space.
        entering: channels of the input.
        channels: channels of the output.
        stride: 1, or 2 to halve the side.
    """
    if name == "none":
        return Zero(channels, stride)
    if name == "skip_connect":
        return projection(entering, channels, stride)
    if name == "avg_pool_3x3":
        return _average_pooling(stride)
    return relu_conv_bn(entering, channels, int(name[-1]), stride)


def _average_pooling(stride: int) -> nn.Module:
    return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)


def _depthwise_separable(
    channels: int, kernel: int, stride: int, dilation: int = 1
) -> list[nn.Module]:
    padding = dilation * (kernel // 2)
    return [
        nn.ReLU(),
        nn.Conv2d(
            channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False
        ),
        *conv_bn(channels, channels, 1),
    ]


def _separable(kernel: int) -> Callable[[int, int], nn.Module]:
    return lambda channels, stride: nn.Sequential(
        *_depthwise_separable(channels, kernel, stride), *_depthwise_separable(channels, kernel, 1)
    )


def _dilated(kernel: int) -> Callable[[int, int], nn.Module]:
    return lambda channels, stride: nn.Sequential(
        *_depthwise_separable(channels, kernel, stride, dilation=2)
    )


def _conv_1x7_7x1(channels: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, (1, 7), (1, stride), padding=(0, 3), bias=False),
        nn.Conv2d(channels, channels, (7, 1), (stride, 1), padding=(3, 0), bias=False),
        nn.BatchNorm2d(channels),
    )


GENOTYPE_OPERATORS: Mapping[str, Callable[[int, int], nn.Module]] = {
    "none": Zero,
    "skip_connect": lambda channels, stride: projection(channels, channels, stride),
    "avg_pool_3x3": lambda _, stride: _average_pooling(stride),
    "max_pool_3x3": lambda _, stride: nn.MaxPool2d(3, stride, padding=1),
    "sep_conv_3x3": _separable(3),
    "sep_conv_5x5": _separable(5),
    "sep_conv_7x7": _separable(7),
    "dil_conv_3x3": _dilated(3),
    "dil_conv_5x5": _dilated(5),
    "conv_7x1_1x7": _conv_1x7_7x1,
}
"""Operators of the DARTS code base: by name, a function of channels and stride (1 or 2)."""
