"""Build the graph of a complete network from the cells and skeleton of a user-defined space."""

import re
from collections import deque
from collections.abc import Mapping, Sequence

from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.spaces.skeleton import Chosen, Skeleton

STEM, CLASSIFIER = "stem", "classifier"
_STAGE = re.compile(r"stage-c(\d+)-s(\d+)", flags=re.ASCII)
_FIRST = 2
"""Position of the first stage, after the input and the stem."""
FIXED_NODES = 4
"""Number of fixed nodes: input, stem, classifier and output."""

_Outputs = tuple[int, ...]
"""Nodes whose sum is read."""


def unroll(cell: Cell, inputs: int, stages: Sequence[Chosen]) -> Cell:
    """Repeat a cell through the stages.

    For each stage and input of the cell, a node names width and stride of the stage; it returns its
    input, and the operators after it change the shape.

    Args:
        cell: the cell.
        inputs: number of its inputs, which read the previous outputs, at first those of the stem.
        stages: the stages.

    Returns:
        One input, the stem, stages and cells in turn, the classifier, one output.
    """
    nodes, edges = [INPUT, STEM], [(0, 1)]
    before: deque[_Outputs] = deque([(1,)] * inputs, maxlen=inputs)
    for stage in stages:
        entering = range(len(nodes), len(nodes) + inputs)
        nodes += [_stage_name(stage)] * inputs
        edges += [(s, node) for node, outs in zip(entering, before, strict=True) for s in outs]
        before.extend((node,) for node in entering)
        for _ in range(stage.repeats):
            before.append(_append(cell, before, nodes, edges))
    nodes += [CLASSIFIER, OUTPUT]
    last = len(nodes) - 1
    edges += [*((node, last - 1) for node in before[-1]), (last - 1, last)]
    return Cell(tuple(nodes), tuple(sorted(edges)))


def _append(
    cell: Cell, before: Sequence[_Outputs], nodes: list[str], edges: list[tuple[int, int]]
) -> _Outputs:
    """Append a cell's operators to a graph, and return those that form its output."""
    inputs, last = len(before), len(cell.nodes) - 1
    shift = len(nodes) - inputs
    nodes += cell.nodes[inputs:-1]
    for src, dst in cell.edges:
        if dst < last:
            sources = before[src] if src < inputs else (src + shift,)
            edges += [(source, dst + shift) for source in sources]
    return tuple(src + shift for src, dst in cell.edges if dst == last)


def fold(network: Cell, inputs: int, operators: int) -> tuple[tuple[Chosen, ...], Cell]:
    """Return the stages and the cell of a graph from `unroll`; nothing feeds the cell's output.

    Args:
        network: the graph.
        inputs: number of inputs of a cell.
        operators: number of operators of a cell.
    """
    stages: list[Chosen] = []
    at, end = _FIRST, len(network.nodes) - 2
    while at < end:
        match = _STAGE.fullmatch(network.nodes[at])
        assert match is not None
        at += inputs
        start = at
        while at < end and not _STAGE.fullmatch(network.nodes[at]):
            at += operators
        width, stride = map(int, match.groups())
        stages.append(Chosen((at - start) // operators, width, stride))
    stop = _FIRST + inputs + operators
    edges = [(s - _FIRST, d - _FIRST) for s, d in network.edges if s >= _FIRST and d < stop]
    nodes = (*[INPUT] * inputs, *network.nodes[_FIRST + inputs : stop], OUTPUT)
    return tuple(stages), Cell(nodes, tuple(edges))


def node_shapes(
    skeleton: Skeleton, stages: Sequence[Chosen], inputs: int, operators: int
) -> list[tuple[int, ...]]:
    """Return the output shape of each node of a graph from `unroll`.

    Args:
        skeleton: the skeleton.
        stages: the stages.
        inputs: number of inputs of a cell.
        operators: number of operators of a cell.
    """
    side = -(-skeleton.image // skeleton.stem_stride)
    shapes: list[tuple[int, ...]] = [(3, skeleton.image, skeleton.image)]
    shapes.append((skeleton.stem, side, side))
    for step in skeleton.steps(stages, inputs):
        if step.first:
            shapes += [(channels, side, side) for channels, side, _ in step.entering]
        shapes += [(step.width, step.side, step.side)] * operators
    return [*shapes, (skeleton.classes,), (skeleton.classes,)]


def is_reserved(name: str) -> bool:
    """Return whether a name is reserved for nodes of the skeleton."""
    return name in (STEM, CLASSIFIER) or _STAGE.fullmatch(name) is not None


def descriptions(skeleton: Skeleton) -> Mapping[str, str]:
    """Describe the nodes that are no operators of the cell, by name."""
    strided = f", stride {skeleton.stem_stride}" if skeleton.stem_stride > 1 else ""
    described = {STEM: f"Convolution 3x3{strided}, batch normalisation, ReLU"}
    for stage in skeleton.stages:
        for width in stage.widths:
            for stride in stage.strides:
                name = _stage_name(Chosen(1, width, stride))
                described[name] = f"Stage of {width} channels, stride {stride}"
    return {**described, CLASSIFIER: "Global average pooling, linear layer"}


def _stage_name(stage: Chosen) -> str:
    return f"stage-c{stage.width}-s{stage.stride}"
