"""Convert graphs of torch.export to the layers of a network."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from torch import nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind
from torch.fx import GraphModule, Node

from snap_graphs.networks import Layer
from snap_graphs.torch.trace.call import Call, Shape, bind, nodes_in, operator_name, shape_of
from snap_graphs.torch.trace.operators import LIKE, SHAPE_ONLY, VIEWS, describe

_Value = int | frozenset[str]
"""Value of a node: the layer that computes it, or the parameters from which it is derived."""


def read_layers(program: ExportedProgram, module: nn.Module) -> list[Layer]:
    """Return the layers between a module's inputs and outputs.

    Values that depend on no input, such as a position embedding or a standardised weight, are not
    layers; their parameters belong to the first layer that reads them. Parameters that no layer
    reads, such as those of a head used in training only, belong to the output. The parameters of
    the layers therefore add up to those of the module.

    Args:
        program: the module, exported for a batch of one.
        module: the module.

    Raises:
        ValueError: an operator runs one of several graphs, such as `torch.cond`.
    """
    reader = _Reader({name: each.numel() for name, each in module.named_parameters()})
    owners, specs = _names_of_shared(module), program.graph_signature.input_specs
    placeholders = [node for node in program.graph.nodes if node.op == "placeholder"]
    for node, spec in zip(placeholders, specs, strict=True):
        if spec.kind is InputKind.USER_INPUT and "val" in node.meta:
            reader.add(node, Layer("input", (), without_batch(shape_of(node))))
        elif spec.kind is InputKind.PARAMETER:
            reader.values[node] = frozenset({owners[str(spec.target)]})
    results = reader.run(program.graph_module, set(placeholders))
    return reader.finished(results)


def _names_of_shared(module: nn.Module) -> dict[str, str]:
    """Return the first name of each parameter, by each of its names."""
    first: dict[int, str] = {}
    named = module.named_parameters(remove_duplicate=False)
    return {name: first.setdefault(id(parameter), name) for name, parameter in named}


def without_batch(shape: Shape) -> Shape:
    """Return a shape without its batch of one; unchanged if the batch was merged."""
    return shape[1:] if shape[:1] == (1,) else shape


class _Reader:
    """Reads exported graphs in order and collects their layers.

    Attributes:
        values: values of the nodes read so far.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.values: dict[Node, _Value] = {}
        self._layers: list[Layer] = []
        self._unread = dict(sizes)
        self._viewed: dict[Node, Node] = {}
        self._returned: dict[Node, list[Node]] = {}

    def add(self, node: Node, layer: Layer) -> None:
        """Append the layer that computes a node."""
        self.values[node] = len(self._layers)
        self._layers.append(layer)

    def run(self, graph: GraphModule, known: set[Node]) -> list[Node]:
        """Read a graph whose placeholders are known, and return its output nodes."""
        for node in graph.graph.nodes:
            if node.op == "call_function":
                self._call(graph, node)
            elif node.op == "output":
                return list(nodes_in(node.args))
            elif node not in known:
                self.values[node] = frozenset()
        return []

    def finished(self, results: Iterable[Node]) -> list[Layer]:
        """Return the layers on which the results depend, followed by the output."""
        ends = [value for node in results if isinstance(value := self.values[node], int)]
        kept = self._needed_for(ends)
        place = {old: new for new, old in enumerate(kept)}
        layers = [
            replace(layer, inputs=tuple(place[i] for i in layer.inputs))
            for layer in (self._layers[i] for i in kept)
        ]
        dropped = sum(layer.params for i, layer in enumerate(self._layers) if i not in place)
        output = Layer(
            "output",
            tuple(place[i] for i in ends),
            self._layers[ends[0]].shape if ends else (),
            params=dropped + sum(self._unread.values()),
        )
        return [*layers, output]

    def _needed_for(self, ends: Sequence[int]) -> list[int]:
        """Return the positions of inputs and of layers on a path to the ends, in order."""
        needed = {i for i, layer in enumerate(self._layers) if layer.kind == "input"} | set(ends)
        for i in reversed(range(len(self._layers))):
            if i in needed:
                needed.update(self._layers[i].inputs)
        return sorted(needed)

    def _call(self, graph: GraphModule, node: Node) -> None:
        if node.target is operator.getitem:
            self._take(node)
        elif inner := [g for n in nodes_in(node.args) if (g := _graph_of(graph, n)) is not None]:
            self._inline(graph, node, inner)
        elif hasattr(node.target, "_schema"):
            self._operator(node)
        else:
            self.values[node] = self._parameters(nodes_in([node.args, node.kwargs]))

    def _take(self, node: Node) -> None:
        """Read the selection of one output tensor of an operator."""
        source, index = node.args
        assert isinstance(source, Node)
        if source in self._returned and isinstance(index, int):
            self._same(node, self._returned[source][index])
            return
        value = self.values[source]
        if isinstance(value, int) and self._layers[value].kind == "pass":
            self.add(node, Layer("pass", (value,), without_batch(shape_of(node))))
            self._viewed[node] = source
        else:
            self.values[node] = value

    def _inline(self, graph: GraphModule, node: Node, inner: Sequence[GraphModule]) -> None:
        """Read the graph inside an operator, such as that of `torch.no_grad`."""
        if len(inner) > 1:
            raise ValueError(f"{node.target} chooses among graphs while it runs")
        given = [n for n in nodes_in(node.args) if _graph_of(graph, n) is None]
        places = [n for n in inner[0].graph.nodes if n.op == "placeholder"]
        for place, outer in zip(places, given, strict=True):
            self._same(place, outer)
        results = self.run(inner[0], set(places))
        self._returned[node] = results
        if results:
            self._same(node, results[0])
        else:
            self.values[node] = frozenset()

    def _same(self, node: Node, other: Node) -> None:
        """Give a node the value of another node."""
        self.values[node] = self.values[other]
        self._viewed[node] = other

    def _operator(self, node: Node) -> None:
        name = operator_name(node.target._schema.name)  # type: ignore[union-attr]
        call = bind(node, self._is_computed)
        read = call.computed[:1] if name in LIKE else call.computed
        if name == "copy":  # overwrites its first tensor
            read = tuple(n for n in [call.arguments["src"]] if self._is_computed(n))
        if not read or name in SHAPE_ONLY:
            self.values[node] = self._parameters(nodes_in(list(call.arguments.values())))
        else:
            self.add(node, self._layer(call, read))
        if name in VIEWS:
            self._viewed[node] = node.args[0]  # type: ignore[assignment]
        for changed in _written(node):
            self._change(changed, node)

    def _layer(self, call: Call, read: Sequence[Node]) -> Layer:
        described = describe(call)
        return Layer(
            described.kind,
            tuple(self.values[n] for n in read),  # type: ignore[misc]
            without_batch(call.output),
            self._take_over(self._parameters(nodes_in(list(call.arguments.values())))),
            described.counted.flops,
            described.counted.activations,
            described.attributes,
        )

    def _change(self, changed: Node, node: Node) -> None:
        """Replace the value of a tensor that an operator changes in place, and of its base."""
        result = self.values[node]
        self.values[changed] = result
        while changed in self._viewed:
            changed = self._viewed[changed]
            self._change_whole(changed, result)

    def _change_whole(self, whole: Node, part: _Value) -> None:
        """Replace the value of a tensor by its old value with a changed part."""
        before = self.values[whole]
        if isinstance(before, int) and isinstance(part, int) and before != part:
            shape = without_batch(shape_of(whole))
            self.add(whole, Layer("other", (before, part), shape, attributes={"name": "copy"}))
        elif isinstance(part, int):
            rest = before if isinstance(before, frozenset) else frozenset()
            params = self._take_over(rest)
            self.add(whole, Layer("pass", (part,), without_batch(shape_of(whole)), params))

    def _is_computed(self, node: Node) -> bool:
        return isinstance(self.values.get(node), int)

    def _parameters(self, nodes: Iterable[Node]) -> frozenset[str]:
        values = (self.values[node] for node in nodes if node in self.values)
        return frozenset().union(*(v for v in values if isinstance(v, frozenset)))

    def _take_over(self, names: Iterable[str]) -> int:
        """Return the number of elements of parameters that no layer has read yet."""
        return sum(self._unread.pop(name, 0) for name in names)


def _graph_of(graph: GraphModule, node: Node) -> GraphModule | None:
    found = getattr(graph, str(node.target), None) if node.op == "get_attr" else None
    return found if isinstance(found, GraphModule) else None


def _written(node: Node) -> list[Node]:
    """Return the arguments that an operator changes in place."""
    schema = node.target._schema  # type: ignore[union-attr]
    pairs = zip(schema.arguments, node.args, strict=False)
    return [
        value
        for argument, value in pairs
        if argument.alias_info is not None and argument.alias_info.is_write
        if isinstance(value, Node)
    ]
