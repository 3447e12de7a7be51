"""Round trip: the network built around a cell, traced, is the cell laid out in its skeleton."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest
import torch
from snap_graphs import Cell, graph_table, space
from snap_graphs.canonical import prune
from snap_graphs.cell import NONE
from snap_graphs.networks import Network, assembled
from snap_graphs.networks.naming import IDENTITY
from snap_graphs.spaces.genotypes import to_genotype
from snap_graphs.spaces.nb101 import vertex_channels
from snap_graphs.spaces.transnas import module_shapes
from snap_graphs.torch.build import build_network, network_size
from snap_graphs.torch.trace import read_inputs, trace_module

Value = Counter[int]
"""What an operator reads: nodes, each as often as the sum contains it."""

CONCATENATION = "concatenation"
OPERATORS: Mapping[str, str] = {
    "nor_conv_1x1": "relu-conv1x1{}-bn",
    "conv1x1": "relu-conv1x1{}-bn",
    "nor_conv_3x3": "relu-conv3x3{}-bn",
    "conv3x3": "relu-conv3x3{}-bn",
    "avg_pool_3x3": "avgpool3x3{}",
    "max_pool_3x3": "maxpool3x3{}",
    "sep_conv_3x3": "relu-dwconv3x3{} conv1x1-bn relu-dwconv3x3 conv1x1-bn",
    "sep_conv_5x5": "relu-dwconv5x5{} conv1x1-bn relu-dwconv5x5 conv1x1-bn",
    "dil_conv_3x3": "relu-dwconv3x3{}-d2 conv1x1-bn",
    "dil_conv_5x5": "relu-dwconv5x5{}-d2 conv1x1-bn",
}
"""By operator of a space its parts in a row, as tracing names them, with a gap for the stride."""


class Node(NamedTuple):
    """What two nodes share where they stand for each other."""

    name: str
    shape: tuple[int, ...]
    params: int = 0
    flops: int = 0


class Graph:
    """A network under construction.

    Attributes:
        nodes: in topological order, the input first.
        reads: of every node, what it reads.
    """

    def __init__(self, side: int = 0) -> None:
        self.nodes = [Node("input", (3, side, side))]
        self.reads: list[Value] = [Counter()]

    def add(self, node: Node, value: Value) -> Value:
        self.nodes.append(node)
        self.reads.append(value)
        return Counter([len(self.nodes) - 1])

    def shape(self, value: Value) -> tuple[int, ...]:
        return self.nodes[min(value)].shape

    def operator(self, name: str, value: Value, channels: int = 0) -> Value:
        """Add a convolution, pooling, normalisation or activation; its name says what it costs."""
        entering, side, _ = self.shape(value)
        channels = channels or entering
        side = -(-side // (2 if "-s2" in name else 1))
        convolution = re.search(r"(dw)?conv(\d)", name)
        weights = 0
        if convolution:
            weights = int(convolution[2]) ** 2 * channels * (1 if convolution[1] else entering)
        params = weights + 2 * channels * ("bn" in name)
        return self.add(Node(name, (channels, side, side), params, weights * side**2), value)

    def parts(self, name: str, value: Value, channels: int, stride: int = 1) -> Value:
        """Add an operator of a space."""
        if name == "skip_connect":
            return value if stride == 1 else self.halved(value, channels)
        for part in OPERATORS[name].format("-s2" * (stride == 2)).split():
            value = self.operator(part, value, channels)
        return value

    def halved(self, value: Value, channels: int) -> Value:
        """Add what stands for the identity where the side is halved."""
        value = self.operator("relu", value)
        halves = [self.operator("conv1x1-s2", value, channels // 2) for _ in range(2)]
        return self.operator("bn", self.concatenated(halves))

    def concatenated(self, values: list[Value]) -> Value:
        if len(values) == 1:
            return values[0]
        joined = [v if v.total() == 1 else self.operator(IDENTITY, v) for v in values]
        channels, side = sum(self.shape(v)[0] for v in joined), self.shape(joined[0])[1]
        return self.add(Node(CONCATENATION, (channels, side, side)), total(joined))

    def head(self, value: Value, classes: int, sides: tuple[int, ...] = (1, 1)) -> None:
        """Add a classifier; `sides` are those that the pooled map keeps."""
        channels = self.shape(value)[0]
        value = self.add(Node("global-avgpool", (channels, *sides)), value)
        costs = (channels + 1) * classes, channels * classes
        value = self.add(Node("linear", (classes,), *costs), value)
        self.add(Node("output", (classes,)), value)

    def cell(self, cell: Cell, value: Value, channels: int, stride: int = 1) -> Value:
        """Add a cell whose operators sum what they read; those that read its input are strided."""
        values = [value]
        for node, name in enumerate(cell.nodes[1:], start=1):
            sources = [src for src, dst in cell.edges if dst == node]
            read = total([values[src] for src in sources])
            if node < len(cell.nodes) - 1:
                read = self.parts(name, read, channels, 1 if any(sources) else stride)
            values.append(read)
        return values[-1]


def total(values: list[Value]) -> Value:
    return sum(values, start=Counter())


def nb201(cell: Cell) -> Graph:
    graph, cell = Graph(32), prune(cell)
    value = graph.operator("conv3x3-bn", Counter([0]), 16)
    for channels in (16, 32, 64):
        if channels > 16:
            residual = graph.operator("relu-conv3x3-s2-bn", value, channels)
            shortcut = graph.operator("avgpool2x2-s2", value)
            value = graph.operator("relu-conv3x3-bn", residual, channels)
            value += graph.operator("conv1x1", shortcut, channels)
        for _ in range(5):
            value = graph.cell(cell, value, channels)
    graph.head(graph.operator("bn-relu", value), 10)
    return graph


def transnas_stem() -> tuple[Graph, Value]:
    graph = Graph(224)
    value = graph.operator("conv3x3-s2-bn-relu", Counter([0]), 32)
    return graph, graph.operator("conv3x3-s2-bn", value, 64)


def transnas_micro(cell: Cell) -> Graph:
    (graph, value), cell = transnas_stem(), prune(cell)
    for channels, stride in ((128, 2), (128, 1), (256, 2), (256, 1), (512, 2)):
        value = graph.cell(cell, value, channels, stride)
        value = graph.cell(cell, value, channels)
    graph.head(value, 75)
    return graph


def transnas_macro(cell: Cell) -> Graph:
    graph, value = transnas_stem()
    value, channels = graph.operator("relu", value), 64
    for factor, stride in module_shapes(cell):
        channels *= factor
        for strided, changes in (("-s2" * (stride == 2), (factor, stride) != (1, 1)), ("", False)):
            shortcut = graph.operator(f"conv1x1{strided}-bn", value, channels) if changes else value
            residual = graph.operator(f"conv3x3{strided}-bn-relu", value, channels)
            residual = graph.operator("conv3x3-bn", residual, channels)
            value = graph.operator("relu", residual + shortcut)
    graph.head(value, 75)
    return graph


def nb101(cell: Cell) -> Graph:
    graph = Graph(32)
    value = graph.operator("conv3x3-bn-relu", Counter([0]), 128)
    for channels in (128, 256, 512):
        if channels > 128:
            value = graph.operator("maxpool2x2-s2", value)
        for _ in range(3):
            value = vertices(graph, cell, value, channels)
    graph.head(value, 10)
    return graph


def vertices(graph: Graph, cell: Cell, value: Value, out: int) -> Value:
    """Add a cell of NAS-Bench-101: projections out of its input, a concatenation as output."""
    last = len(cell.nodes) - 1
    adjacency = np.zeros((1, last + 1, last + 1), np.bool_)
    adjacency[0][tuple(np.array(cell.edges).T)] = True
    channels = vertex_channels(adjacency, out)[0].tolist()
    values: dict[int, Value] = {}

    def read(src: int, dst: int) -> Value:
        if src == 0:
            return graph.operator("conv1x1-bn-relu", value, channels[dst])
        cut = channels[src] > channels[dst]
        return graph.operator(IDENTITY, values[src], channels[dst]) if cut else values[src]

    for vertex, name in enumerate(cell.nodes[1:-1], start=1):
        entering = total([read(src, dst) for src, dst in cell.edges if dst == vertex])
        values[vertex] = graph.operator(name, entering, channels[vertex])
    ends = [src for src, dst in cell.edges if dst == last]
    joined = [values[src] for src in ends if src]
    projected = read(0, last) if 0 in ends else Counter[int]()
    return (graph.concatenated(joined) if joined else Counter[int]()) + projected


def darts(cell: Cell) -> Graph:
    graph, genotype, channels, halved = Graph(32), to_genotype(cell), 36, False
    older = newer = graph.operator("conv3x3-bn", Counter([0]), 3 * channels)
    for layer in range(20):
        reduction = layer in (6, 13)
        channels *= 1 + reduction
        pairs = genotype.reduce if reduction else genotype.normal
        concat = genotype.reduce_concat if reduction else genotype.normal_concat
        states = [
            graph.halved(older, channels)
            if halved
            else graph.operator("relu-conv1x1-bn", older, channels),
            graph.operator("relu-conv1x1-bn", newer, channels),
        ]
        found = [Counter[int]()]
        for place, (name, source) in enumerate(pairs):
            stride = 2 if reduction and source < 2 else 1
            found.append(graph.parts(name, states[source], channels, stride))
            if place % 2:
                states.append(total(found[-2:]))
        older, newer = newer, graph.concatenated([states[node] for node in concat])
        halved = reduction
    graph.head(newer, 10, sides=())
    return graph


LAYOUTS: Mapping[str, Callable[[Cell], Graph]] = {
    "nb101": nb101,
    "nb201": nb201,
    "transnas-micro": transnas_micro,
    "transnas-macro": transnas_macro,
    "darts": darts,
}


def traced(network: Network) -> Graph:
    """Return a traced network in the layouts' form."""
    graph = Graph()
    columns = zip(network.nodes, network.shapes, network.params, network.flops, strict=True)
    graph.nodes = [Node(*column) for column in columns]
    graph.reads = [Counter[int]() for _ in graph.nodes]
    for src, dst in network.edges:
        graph.reads[dst][src] += 1
    return graph


def with_joined_activations(graph: Graph) -> Graph:
    """Move activations from what follows them, where layouts put them, to where tracing does.

    The convolution or normalisation that an activation alone reads takes it in; a normalisation
    before an activation and a convolution joins both.
    """
    readers, joined = total(graph.reads), Graph()
    joined.nodes, joined.reads = list(graph.nodes), graph.reads
    for number, (node, read) in enumerate(zip(graph.nodes, graph.reads, strict=True)):
        source = min(read, default=0)
        before = joined.nodes[source]
        alone = read.total() == readers[source] == 1
        if not (alone and node.name.startswith("relu") and before.name.endswith("bn")):
            continue
        rest = node.name.removeprefix("relu").removeprefix("-")
        if before.name == "bn" and rest:
            joined.nodes[source] = Node(IDENTITY, before.shape)
            params = before.params + node.params
            joined.nodes[number] = node._replace(name=f"bn-{node.name}", params=params)
        else:
            joined.nodes[source] = before._replace(name=f"{before.name}-relu")
            joined.nodes[number] = node._replace(name=rest or IDENTITY)
    return joined


def without_identities(graph: Graph) -> Graph:
    """Let operators read what identities sum, but a concatenation the sums that it joins."""
    found, values, sums = Graph(), [Counter([0])], dict[int, Value]()
    found.nodes[0] = graph.nodes[0]
    joined = {
        source
        for node, read in zip(graph.nodes, graph.reads, strict=True)
        for source in read
        if node.name == CONCATENATION
    }
    for number, (node, read) in list(enumerate(zip(graph.nodes, graph.reads, strict=True)))[1:]:
        joins = node.name == CONCATENATION
        value = total([sums.get(s, values[s]) if joins else values[s] for s in read.elements()])
        if node.name != IDENTITY:
            value = found.add(node, value)
        elif number in joined and value.total() > 1:
            sums[number] = found.add(node, value)
        values.append(value)
    return found


def as_networkx(graph: Graph) -> "nx.DiGraph[int]":
    """Return the nodes that the output depends on, with one more a repeated edge."""
    made: nx.DiGraph[int] = nx.DiGraph()
    for number, (node, read) in enumerate(zip(graph.nodes, graph.reads, strict=True)):
        made.add_node(number, label=node)
        for source, times in read.items():
            made.add_edge(source, number)
            for _ in range(times - 1):
                again = -len(made)
                made.add_node(again, label="again")
                made.add_edges_from([(source, again), (again, number)])
    output = len(graph.nodes) - 1
    return made.subgraph({output, *nx.ancestors(made, output)})


@cache
def built_and_traced(space_name: str, arch_id: str) -> Network:
    side = network_size(space_name).image
    with torch.device("meta"):
        network = build_network(space_name, arch_id)
    return assembled(trace_module(network, read_inputs((3, side, side))))


def drawn(space_name: str, seed: int) -> tuple[Cell, str]:
    """Return the first architecture from a seed on of which tracing leaves nothing out.

    What no output depends on is not traced, and `none` may leave an input of a DARTS cell unread.
    """
    home = space(space_name)
    for number in count(seed):
        (cell,) = home.sample(1, seed=number)
        left, nones = prune(cell), cell.nodes.count(NONE)
        all_live = left.edges and len(left.nodes) == len(cell.nodes) - nones
        if all_live and not (nones and space_name == "darts"):
            return cell, home.format(cell)
    raise AssertionError


CASES = pytest.mark.parametrize(
    ("name", "seed"), [(name, seed) for name in LAYOUTS for seed in (30, 70)]
)


def laid_out(space_name: str, cell: Cell) -> "nx.DiGraph[int]":
    return as_networkx(without_identities(with_joined_activations(LAYOUTS[space_name](cell))))


def labels(graph: "nx.DiGraph[int]") -> Counter[Node]:
    return Counter(nx.get_node_attributes(graph, "label").values())


@CASES
def test_the_traced_network_is_the_cell_laid_out_in_its_skeleton(name: str, seed: int) -> None:
    cell, arch_id = drawn(name, seed)
    found = as_networkx(without_identities(traced(built_and_traced(name, arch_id))))
    expected = laid_out(name, cell)
    assert labels(found) == labels(expected)
    assert nx.vf2pp_is_isomorphic(found, expected, node_label="label")


def test_cells_that_differ_in_their_wiring_alone_are_laid_out_differently() -> None:
    parallel, serial = (
        laid_out("nb201", space("nb201").parse(f"|nor_conv_3x3~0|+|avg_pool_3x3~0|{rest}"))
        for rest in (
            "none~1|+|none~0|avg_pool_3x3~1|avg_pool_3x3~2|",
            "avg_pool_3x3~1|+|none~0|none~1|avg_pool_3x3~2|",
        )
    )
    assert labels(parallel) == labels(serial)
    assert not nx.vf2pp_is_isomorphic(parallel, serial, node_label="label")


@CASES
def test_the_traced_network_costs_what_the_cell_says(name: str, seed: int) -> None:
    cell, arch_id = drawn(name, seed)
    network = built_and_traced(name, arch_id)
    (row,) = graph_table(name, [cell]).to_pylist()
    assert (sum(network.params), sum(network.flops), network.activations) == (
        row["params"],
        row["flops"],
        row["activations"],
    )
