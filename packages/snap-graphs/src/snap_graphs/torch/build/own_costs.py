"""What the networks of a user's own space cost, operator by operator."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from snap_graphs.arrays import Ints
from snap_graphs.spaces.base import Costs
from snap_graphs.spaces.custom import CustomSpace, Design
from snap_graphs.spaces.skeleton import Skeleton
from snap_graphs.torch.build.blocks import Blocks, Counts
from snap_graphs.torch.build.counting import count_params, count_work
from snap_graphs.torch.build.own import calls, classifier, stem


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


@lru_cache(maxsize=8)
def _blocks(space: CustomSpace) -> Blocks:
    return Blocks(space)


def _total(blocks: Blocks, space: CustomSpace, design: Design) -> Ints:
    stages = space.stages(design)
    total = np.array(_ends(space.skeleton, stages[-1].width), np.int64)
    steps = space.skeleton.steps(stages, space.definition.inputs)
    for step, number in Counter(steps).items():
        for call in calls(design.operators, step).values():
            total += number * np.array(blocks.measure(*call), np.int64)
    return total


@lru_cache
def _ends(skeleton: Skeleton, width: int) -> Counts:
    """Count the stem and the classifier."""
    with torch.device("meta"):
        parts = (
            (stem(skeleton), torch.empty(1, 3, skeleton.image, skeleton.image)),
            (classifier(width, skeleton.classes), torch.empty(1, width, 1, 1)),
        )
        works = [count_work(module, [x]) for module, x in parts]
    return Counts(
        params=sum(count_params(module) for module, _ in parts),
        flops=sum(work.flops for work in works),
        activations=sum(work.activations for work in works),
    )
