"""A predictor's networks as one ONNX file.

Inputs: `vectors` (operators, d), and graphs for each group of members. A group is named after the
views through which its members see graphs (`prune+show_implicit`), with the prefix
`training_space.` if they score the training space only. Graphs have one of two forms:

- b graphs of n nodes each: `GROUP.op` (b, n), rows of `vectors`, and `GROUP.mixing` (b, n, n), the
  normalised adjacency matrices;
- graphs of any size joined into one: `GROUP.nodes` (nodes,), rows of `vectors`; `GROUP.edges`
  (2, edges), in both directions and with self-loops; `GROUP.weights` (edges,); `GROUP.graph`
  (nodes,), the graph of each node; and `GROUP.last` (graphs,), their output nodes.

Outputs: the scores of each member, `GROUP.dense` (members, b) and `GROUP.sparse` (members, graphs).
Inputs that are not needed are fed empty arrays.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, DeduplicateInitializersPass
from snap_catalog import SnapError
from snap_graphs import Graphs
from torch import Tensor, nn
from torch.export import Dim

from snap_gcn.data.batches import batches
from snap_gcn.model.network import Dense, Edges, GcnNetwork, layout
from snap_gcn.model.recipe import Group, Recipe, grouped
from snap_gcn.model.runtime import DENSE, SPARSE, Runtime

_OPSET = 18
_TOLERANCE = 1e-5
_CHECKED = ((3, 4), (8, 4), (129, 2), (5_000, 1))
"""(nodes, graphs) of the random graphs on which a file is checked."""


class _Members(nn.Module):
    """All members by group, each applied to both forms of graphs."""

    def __init__(self, networks: Sequence[GcnNetwork], groups: Mapping[Group, list[int]]) -> None:
        super().__init__()
        self.groups = nn.ModuleList(
            nn.ModuleList(networks[number] for number in numbers) for numbers in groups.values()
        )

    def forward(self, vectors: Tensor, *graphs: Tensor) -> list[Tensor]:
        scores, each = [], len(DENSE) + len(SPARSE)
        for number, group in enumerate(self.groups):
            members = cast(Sequence[GcnNetwork], group)
            given = graphs[each * number : each * (number + 1)]
            for form in (Dense(*given[: len(DENSE)]), Edges(*given[len(DENSE) :])):
                scores.append(torch.stack([member(vectors, form) for member in members]))
        return scores


def networks(
    recipes: Sequence[Recipe], states: Sequence[Mapping[str, Tensor]], dimensions: int
) -> list[GcnNetwork]:
    """Load trained members for inference, with vectors of d `dimensions`."""
    found = []
    for recipe, state in zip(recipes, states, strict=True):
        network = GcnNetwork(recipe, dimensions)
        network.load_state_dict(dict(state))
        found.append(network.folded())
    return found


def to_onnx(
    recipes: Sequence[Recipe], states: Sequence[Mapping[str, Tensor]], dimensions: int
) -> bytes:
    """Export trained members as an ONNX file, and check that ONNX Runtime scores as torch does.

    Raises:
        SnapError: the two scores differ by more than 1e-5, relative to the largest score if that
            exceeds 1.
    """
    members, groups = networks(recipes, states, dimensions), grouped(recipes)
    examples = [part for _ in groups for part in _example()]
    names = [f"{group.name}.{part}" for group in groups for part in (*DENSE, *SPARSE)]
    outputs = [f"{group.name}.{form}" for group in groups for form in ("dense", "sparse")]
    free = {0: Dim.DYNAMIC}
    shapes = ({0: Dim.DYNAMIC, 1: Dim.DYNAMIC}, dict.fromkeys(range(3), Dim.DYNAMIC))
    shapes_of_edges = (free, {1: Dim.DYNAMIC}, free, free, free)
    with _quiet():
        program = torch.onnx.export(
            _Members(members, groups).eval(),
            (torch.zeros(3, dimensions), *examples),
            input_names=["vectors", *names],
            output_names=outputs,
            dynamic_shapes=(free, (shapes + shapes_of_edges) * len(groups)),
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    for tidy in (
        DeduplicateInitializersPass(size_limit=2**31),  # both forms share the weights
        ClearMetadataAndDocStringPass(),  # removes paths of this machine
    ):
        tidy(program.model)
    file: bytes = program.model_proto.SerializeToString()
    _check(members, groups, file, dimensions)
    return file


def _example() -> tuple[Tensor, ...]:
    """Return example graphs in both forms for tracing; no two sizes or tensors are equal."""
    nodes, graph, last = (torch.zeros(n, dtype=torch.int64) for n in (9, 9, 2))
    edges, weights = torch.zeros(2, 11, dtype=torch.int64), torch.rand(11)
    dense = torch.zeros(4, 5, dtype=torch.int64), torch.rand(4, 5, 5)
    return *dense, nodes, edges, weights, graph, last


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence torch's messages about optional packages."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(before)


def _check(
    members: Sequence[GcnNetwork],
    groups: Mapping[Group, list[int]],
    file: bytes,
    dimensions: int,
) -> None:
    runtime, random = Runtime(file, groups, "model.onnx"), np.random.default_rng(0)
    vectors = random.normal(size=(7, dimensions)).astype(np.float32) / dimensions**0.5
    for size, count in _CHECKED:
        graphs = _random_graphs(random, size, count, len(vectors))
        for group, numbers in groups.items():
            found = runtime.score(group, graphs, graphs.op, vectors)
            expected = score([members[i] for i in numbers], vectors, graphs)
            worst = np.abs(found - expected).max() / max(np.abs(expected).max(), 1)
            if not worst <= _TOLERANCE:
                raise SnapError(
                    f"model.onnx: ONNX Runtime and torch differ by {worst:.1e} on graphs of "
                    f"{size} nodes; check the versions of torch and onnxruntime"
                )


def score(
    members: Sequence[GcnNetwork], vectors: np.ndarray, graphs: Graphs, op: np.ndarray | None = None
) -> np.ndarray:
    """Compute (m, graphs) scores of graphs by m networks in evaluation mode, with torch.

    (nodes,) `op` has rows of the (operators, d) `vectors`; None stands for `graphs.op`.
    """
    scores = np.empty((len(members), len(graphs)))
    tensor = torch.from_numpy(vectors)
    with torch.inference_mode():
        for rows, batch in batches(graphs, graphs.op if op is None else op):
            for row, member in enumerate(members):
                scores[row, rows] = member(tensor, layout(batch)).double().numpy()
    return scores


def _random_graphs(random: np.random.Generator, size: int, count: int, operators: int) -> Graphs:
    """Return random graphs with edges into each node from its predecessor and from another one."""
    target, adjacency = np.arange(1, size), np.zeros((count, size, size), np.bool_)
    adjacency[:, target - 1, target] = True
    for graph in adjacency:
        graph[random.integers(0, target), target] = True
    op = random.integers(operators, size=(count, size))
    return Graphs.from_dense(tuple(map(str, range(operators))), op, adjacency)
