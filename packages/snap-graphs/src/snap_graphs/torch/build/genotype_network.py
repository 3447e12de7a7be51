"""Build the evaluation networks of the DARTS authors from a normal and a reduction cell.

Source: Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, sections
3.2 and 3.3 and their published code.
"""

from collections.abc import Sequence

import torch
from snap_catalog import SnapError
from torch import Tensor, nn

from snap_graphs.spaces.genotypes import Genotype, Pair
from snap_graphs.torch.build.operators import (
    GENOTYPE_OPERATORS,
    FactorizedReduce,
    conv_bn,
    relu_conv_bn,
    stem_by_4,
)
from snap_graphs.torch.build.size import Size

_IMAGENET_SIDE = 64
"""Minimum side of images for the ImageNet stem, which divides the side by 8."""
_AUXILIARY_SIDES = (32, 224)


class GenotypeNetwork(nn.Module):
    """A sequence of cells with reduction cells at one and two thirds, and a linear classifier.

    Every cell reads the outputs of the two cells before it. Images of 64 pixels or more use the
    ImageNet stem, smaller ones the CIFAR stem.
    """

    def __init__(self, genotype: Genotype, size: Size, auxiliary: bool = False) -> None:
        """Build the network.

        Args:
            genotype: the cells; `concat` may include the inputs 0 and 1, as in NASNet-A.
            size: size of the network.
            auxiliary: add a second classifier after the second reduction cell, for training.

        Raises:
            SnapError: an operator is unknown, or the auxiliary head does not fit the images.
        """
        super().__init__()
        _check(genotype, size, auxiliary)
        large = size.image >= _IMAGENET_SIDE
        channels = size.channels
        first = stem_by_4(channels) if large else conv_bn(3, 3 * channels, 3)
        self.stem = nn.ModuleList([nn.Sequential(*first)])
        if large:
            self.stem.append(relu_conv_bn(channels, channels, 3, 2))
        before = (channels, channels) if large else (3 * channels, 3 * channels)
        self.reductions = (size.layers // 3, 2 * size.layers // 3)
        cells, halved = [], large
        for layer in range(size.layers):
            reduction = layer in self.reductions
            channels *= 1 + reduction
            cells.append(_Cell(genotype, before, channels, reduction, halved))
            before, halved = (before[1], cells[-1].channels), reduction
            if auxiliary and layer == self.reductions[1]:
                self.auxiliary = _auxiliary_head(before[1], size)
        self.cells = nn.ModuleList(cells)
        self.classifier = nn.Linear(before[1], size.classes)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Map (b, 3, side, side) images to (b, classes) logits.

        In training with an auxiliary head, also return the logits of the head.
        """
        auxiliary = None
        older = self.stem[0](images)
        newer = self.stem[1](older) if len(self.stem) > 1 else older
        for layer, cell in enumerate(self.cells):
            older, newer = newer, cell(older, newer)
            if self.training and layer == self.reductions[1] and hasattr(self, "auxiliary"):
                auxiliary = self.auxiliary(newer)
        logits: Tensor = self.classifier(newer.mean((2, 3)))
        return logits if auxiliary is None else (logits, auxiliary)

    def set_drop_path(self, probability: float) -> None:
        """Set the probability with which training drops the outputs of operators but identities."""
        for module in self.modules():
            if isinstance(module, _DropPath):
                module.probability = probability


def _check(genotype: Genotype, size: Size, auxiliary: bool) -> None:
    for operator, _ in (*genotype.normal, *genotype.reduce):
        if operator not in GENOTYPE_OPERATORS:
            raise SnapError(
                f"the DARTS code base has no operator {operator!r}; it has "
                f"{', '.join(GENOTYPE_OPERATORS)}"
            )
    if auxiliary and size.image not in _AUXILIARY_SIDES:
        raise SnapError(
            f"the auxiliary head does not fit images of side {size.image}, only 32 and 224; "
            "leave it out"
        )


def _auxiliary_head(channels: int, size: Size) -> nn.Module:
    """Return the auxiliary classifier, at 224 pixels without last normalisation as published."""
    large = size.image >= _IMAGENET_SIDE
    return nn.Sequential(
        nn.ReLU(),
        nn.AvgPool2d(5, 2 if large else 3),
        *conv_bn(channels, 128, 1),
        nn.ReLU(),
        nn.Conv2d(128, 768, 2, bias=False),
        *([] if large else [nn.BatchNorm2d(768)]),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(768, size.classes),
    )


class _Cell(nn.Module):
    """A normal or reduction cell; `channels` is the number of output channels."""

    def __init__(
        self,
        genotype: Genotype,
        before: tuple[int, int],
        channels: int,
        reduction: bool,
        halved: bool,
    ) -> None:
        """Build the cell.

        Args:
            genotype: both cells.
            before: channels of the two inputs.
            channels: channels of the operators.
            reduction: whether it is the reduction cell.
            halved: whether the older input has twice the side of the newer one.
        """
        super().__init__()
        pairs = genotype.reduce if reduction else genotype.normal
        self.concat = genotype.reduce_concat if reduction else genotype.normal_concat
        self.channels = channels * len(self.concat)
        older = FactorizedReduce if halved else relu_conv_bn
        self.inputs = nn.ModuleList([older(before[0], channels), relu_conv_bn(before[1], channels)])
        self.sources = [source for _, source in pairs]
        self.operators = nn.ModuleList(_operators(pairs, channels, reduction))

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        states = [self.inputs[0](older), self.inputs[1](newer)]
        for place in range(0, len(self.sources), 2):
            first, second = (self.operators[i](states[self.sources[i]]) for i in (place, place + 1))
            states.append(first + second)
        return torch.cat([states[node] for node in self.concat], dim=1)


def _operators(pairs: Sequence[Pair], channels: int, reduction: bool) -> list[nn.Module]:
    found = []
    for name, source in pairs:
        operator = GENOTYPE_OPERATORS[name](channels, 2 if reduction and source < 2 else 1)
        identity = isinstance(operator, nn.Identity)
        found.append(operator if identity else nn.Sequential(operator, _DropPath()))
    return found


class _DropPath(nn.Module):
    """Drop the features of an image with a probability in training, and rescale the others."""

    probability = 0.0

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.probability:
            return x
        kept = 1 - self.probability
        return x * x.new_empty(len(x), 1, 1, 1).bernoulli_(kept) / kept
