"""Count the costs of networks of a user-defined space, operator by operator."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from snap_graphs.arrays import Ints
from snap_graphs.spaces.base import Costs
from snap_graphs.spaces.custom import CustomSpace, Design
from snap_graphs.spaces.skeleton import Skeleton
from snap_graphs.torch.build.counting import Counts, count
from snap_graphs.torch.build.own_blocks import Blocks
from snap_graphs.torch.build.own_network import calls, classifier, stem

_NOTHING = Counts(0, 0, 0)


def network_costs(space: CustomSpace, designs: Sequence[Design]) -> Costs:
    """Count networks; operators that do not act on the output count too, for they are built.

    Args:
        space: whose code may be imported.
        designs: its architectures.

    Raises:
        SnapError: the code fails; names file, operator and class.
    """
    blocks = _blocks(space)
    totals = [_total(blocks, space, design) for design in designs]
    return Costs(*np.array(totals, np.int64).reshape(-1, len(Counts._fields)).T)


def node_counts(space: CustomSpace, design: Design) -> list[Counts]:
    """Count every node of the graph of a whole network.

    Args:
        space: whose code may be imported, and whose skeleton leaves choices.
        design: an architecture.

    Raises:
        SnapError: the code fails; names file, operator and class.
    """
    blocks, inputs = _blocks(space), space.definition.inputs
    stem_counts, classifier_counts = _ends(space.skeleton, design.stages[-1].width)
    counts, stage = [_NOTHING, stem_counts], -1
    for step in space.skeleton.steps(design.stages, inputs):
        if step.stage > stage:
            counts += [_NOTHING] * inputs
            stage = step.stage
        counts += [blocks.measure(*call) for call in calls(design.operators, step).values()]
    return [*counts, classifier_counts, _NOTHING]


@lru_cache(maxsize=8)
def _blocks(space: CustomSpace) -> Blocks:
    return Blocks(space)


def _total(blocks: Blocks, space: CustomSpace, design: Design) -> Ints:
    stages = space.stages(design)
    total: Ints = np.array(_ends(space.skeleton, stages[-1].width), np.int64).sum(axis=0)
    steps = space.skeleton.steps(stages, space.definition.inputs)
    for step, number in Counter(steps).items():
        for call in calls(design.operators, step).values():
            total += number * np.array(blocks.measure(*call), np.int64)
    return total


@lru_cache
def _ends(skeleton: Skeleton, width: int) -> tuple[Counts, Counts]:
    """Count the stem and the classifier."""
    image = (1, 3, skeleton.image, skeleton.image)
    with torch.device("meta"):
        return (
            count(stem(skeleton), torch.empty(image)),
            count(classifier(width, skeleton.classes), torch.empty(1, width, 1, 1)),
        )
