"""Build and count the networks of a user-defined space: its cells in its skeleton."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from snap_graphs.arrays import Ints
from snap_graphs.cell import Cell
from snap_graphs.spaces.base import Costs
from snap_graphs.spaces.custom import CustomSpace, Design, Labelled
from snap_graphs.spaces.skeleton import Skeleton, Step
from snap_graphs.torch.build.counting import Counts, count
from snap_graphs.torch.build.operators import EdgeCell, conv_bn, head
from snap_graphs.torch.build.own_blocks import Blocks
from snap_graphs.torch.build.size import Size

Call = tuple[str, int, int, int, int]
"""An operator, its input channels, output channels and stride, and the side of its input."""
_NOTHING = Counts(0, 0, 0)


class OwnNetwork(nn.Module):
    """A stem, a sequence of cells that read one or more outputs before them, and a classifier."""

    def __init__(self, space: CustomSpace, cell: Cell, size: Size) -> None:
        """Build the network of an architecture, with random weights.

        Args:
            space: the space.
            cell: the architecture.
            size: a size from `architecture_size`.

        Raises:
            SnapError: the code is not allowed or fails; names file, operator and class.
        """
        super().__init__()
        blocks, design = Blocks(space), space.design(cell)
        skeleton = replace(space.skeleton, classes=size.classes, image=size.image)
        stages, self.inputs = space.stages(design), space.definition.inputs
        self.stem = _stem(skeleton)
        self.cells = nn.ModuleList(
            _cell(blocks, design.operators, space.definition.ends, step)
            for step in skeleton.steps(stages, self.inputs)
        )
        self.classifier = _classifier(stages[-1].width, skeleton.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map (b, 3, side, side) images to (b, classes) logits."""
        before = deque([self.stem(images)] * self.inputs, maxlen=self.inputs)
        for cell in self.cells:
            before.append(cell(*before))
        logits: Tensor = self.classifier(before[-1])
        return logits


def _cell(blocks: Blocks, operators: Labelled, ends: Sequence[int], step: Step) -> EdgeCell:
    made = []
    for call in _calls(operators, step):
        blocks.measure(*call)  # refuses an operator whose output has the wrong shape
        made.append(blocks.make(*call[:-1]))
    return EdgeCell(operators, made, ends)


def _calls(operators: Labelled, step: Step) -> list[Call]:
    """Return the calls that create the operators of a cell, in the order of its edges.

    Operators on edges out of an input of the cell change the shape; the others keep it.

    Args:
        operators: operators of the cell by edge.
        step: position of the cell in the network.
    """
    found = []
    for (src, _), name in operators.items():
        is_input = src < len(step.entering)
        entering, side, stride = step.entering[src] if is_input else (step.width, step.side, 1)
        found.append((name, entering, step.width, stride, side))
    return found


def _stem(skeleton: Skeleton) -> nn.Module:
    return nn.Sequential(*conv_bn(3, skeleton.stem, 3, skeleton.stem_stride), nn.ReLU())


def _classifier(width: int, classes: int) -> nn.Module:
    return nn.Sequential(*head(width, classes))


def network_costs(space: CustomSpace, designs: Sequence[Design]) -> Costs:
    """Count the costs of networks, including operators that do not affect the output.

    Args:
        space: the space.
        designs: its architectures.

    Raises:
        SnapError: the code is not allowed or fails; names file, operator and class.
    """
    blocks = _blocks(space)
    totals = [_total(blocks, space, design) for design in designs]
    return Costs(*np.array(totals, np.int64).reshape(-1, len(Counts._fields)).T)


def node_counts(space: CustomSpace, design: Design) -> list[Counts]:
    """Count the costs of every node in the graph of a complete network.

    Args:
        space: a space whose skeleton has choices.
        design: an architecture.

    Raises:
        SnapError: the code is not allowed or fails; names file, operator and class.
    """
    blocks, inputs = _blocks(space), space.definition.inputs
    stem_counts, classifier_counts = _ends(space.skeleton, design.stages[-1].width)
    counts = [_NOTHING, stem_counts]
    for step in space.skeleton.steps(design.stages, inputs):
        if step.first:
            counts += [_NOTHING] * inputs
        counts += [blocks.measure(*call) for call in _calls(design.operators, step)]
    return [*counts, classifier_counts, _NOTHING]


@lru_cache(maxsize=8)
def _blocks(space: CustomSpace) -> Blocks:
    return Blocks(space)


def _total(blocks: Blocks, space: CustomSpace, design: Design) -> Ints:
    stages = space.stages(design)
    total: Ints = np.array(_ends(space.skeleton, stages[-1].width), np.int64).sum(axis=0)
    steps = space.skeleton.steps(stages, space.definition.inputs)
    for step, number in Counter(steps).items():
        for call in _calls(design.operators, step):
            total += number * np.array(blocks.measure(*call), np.int64)
    return total


@lru_cache
def _ends(skeleton: Skeleton, width: int) -> tuple[Counts, Counts]:
    """Count the stem and the classifier."""
    image = (1, 3, skeleton.image, skeleton.image)
    with torch.device("meta"):
        return (
            count(_stem(skeleton), torch.empty(image)),
            count(_classifier(width, skeleton.classes), torch.empty(1, width, 1, 1)),
        )
