"""Build networks of user-defined operators: the cells of a TOML space in its skeleton."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor, nn

from snap_graphs.cell import Cell
from snap_graphs.spaces.custom import CustomSpace, Design, Labelled
from snap_graphs.spaces.skeleton import Skeleton, Step
from snap_graphs.torch.build.operators import conv_bn
from snap_graphs.torch.build.own_blocks import Blocks
from snap_graphs.torch.build.size import Size

Edge = tuple[int, int]
Call = tuple[str, int, int, int, int]
"""An operator, the channels that it takes and puts out, its stride, and the side of its input."""


def own_network(space: CustomSpace, cell: Cell, size: Size) -> nn.Module:
    """Build the network of an architecture of a user's own space, with random weights.

    Args:
        space: whose code may be imported.
        cell: the architecture.
        size: as `architecture_size` gives it.

    Raises:
        SnapError: the code may not be imported, or fails; names file, operator and class.
    """
    skeleton = replace(space.skeleton, classes=size.classes, image=size.image)
    return OwnNetwork(Blocks(space), skeleton, space, space.design(cell))


class OwnNetwork(nn.Module):
    """A stem, cells in a row that each read one or more outputs before it, and a classifier."""

    def __init__(
        self, blocks: Blocks, skeleton: Skeleton, space: CustomSpace, design: Design
    ) -> None:
        super().__init__()
        stages, self.inputs = space.stages(design), space.definition.inputs
        self.stem = stem(skeleton)
        self.cells = nn.ModuleList(
            _Cell(blocks, design.operators, space.definition.ends, step)
            for step in skeleton.steps(stages, self.inputs)
        )
        self.classifier = classifier(stages[-1].width, skeleton.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map (b, 3, side, side) images to (b, classes) logits."""
        before = deque([self.stem(images)] * self.inputs, maxlen=self.inputs)
        for cell in self.cells:
            before.append(cell(list(before)))
        logits: Tensor = self.classifier(before[-1])
        return logits


class _Cell(nn.Module):
    """Operators on edges, summed where edges meet; the nodes of the output are summed too."""

    def __init__(
        self, blocks: Blocks, operators: Labelled, ends: Sequence[int], step: Step
    ) -> None:
        super().__init__()
        self.edges, self.ends = tuple(operators), tuple(ends)
        made = []
        for call in calls(operators, step).values():
            blocks.measure(*call)  # refuses an operator that puts out another shape
            made.append(blocks.make(*call[:-1]))
        self.operators = nn.ModuleList(made)

    def forward(self, entering: Sequence[Tensor]) -> Tensor:
        values = dict(enumerate(entering))
        for (src, dst), operator in zip(self.edges, self.operators, strict=True):
            found = operator(values[src])
            values[dst] = values[dst] + found if dst in values else found
        first, *others = (values[end] for end in self.ends)
        return sum(others, start=first)


def calls(operators: Labelled, step: Step) -> Mapping[Edge, Call]:
    """Return how every operator of a cell is made, by its edge.

    Operators out of an input of the cell change the shape; the others keep it.

    Args:
        operators: of the cell, by edge.
        step: where the cell is in the network.
    """
    return {edge: _call(name, edge[0], step) for edge, name in operators.items()}


def _call(name: str, src: int, step: Step) -> Call:
    if src < len(step.entering):
        entering, side, stride = step.entering[src]
        return name, entering, step.width, stride, side
    return name, step.width, step.width, 1, step.side


def stem(skeleton: Skeleton) -> nn.Module:
    """Return what reads the images."""
    return nn.Sequential(*conv_bn(3, skeleton.stem, 3, skeleton.stem_stride), nn.ReLU())


def classifier(width: int, classes: int) -> nn.Module:
    """Return what maps the last cell's output to logits."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
