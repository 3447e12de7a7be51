"""Read the nodes of an ONNX graph as layers."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

from snap_graphs.formats.onnx.graph import Node, OnnxGraph, Shape
from snap_graphs.formats.onnx.regions import Region, regions
from snap_graphs.networks import Attribute, Kind, Layer

_LARGEST_WINDOW = 1 << 16
"""Maximum of a kernel, stride or dilation along one dimension."""

_COUNTED = frozenset({"convolution", "linear", "product", "attention"})
"""Kinds of layers whose output elements count as activations."""
_PASS = frozenset({
    "Identity", "Dropout", "Cast", "CastLike", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
    "Transpose", "Slice", "Split", "Expand", "Tile", "Pad", "DepthToSpace", "SpaceToDepth", "Neg",
    "Where", "GatherElements", "GatherND", "ScatterND", "ScatterElements", "CenterCropPad",
    "SplitToSequence", "SequenceAt",
    "QuantizeLinear", "DequantizeLinear", "Trilu",
})  # fmt: skip
_PLAIN: Mapping[str, Kind] = {
    **dict.fromkeys(("Add", "Sum", "Sub", "Mean"), "add"),
    "Mul": "multiply",
    "Concat": "concatenation",
    **dict.fromkeys(("Softmax", "LogSoftmax"), "softmax"),
    **dict.fromkeys(("Resize", "Upsample"), "resize"),
}
_ACTIVATIONS: Mapping[str, str] = {
    "Relu": "ReLU",
    "LeakyRelu": "leaky ReLU",
    "PRelu": "PReLU",
    "Elu": "ELU",
    "Celu": "CELU",
    "Selu": "SELU",
    "Gelu": "GELU",
    "Swish": "SiLU",
    "Mish": "Mish",
    "HardSwish": "hard-swish",
    "HardSigmoid": "hard-sigmoid",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
}
_NORMALISATIONS: Mapping[str, str] = {
    "BatchNormalization": "batch normalisation",
    "LayerNormalization": "layer normalisation",
    "GroupNormalization": "group normalisation",
    "InstanceNormalization": "instance normalisation",
    "RMSNormalization": "RMS normalisation",
    "SimplifiedLayerNormalization": "RMS normalisation",
    "LRN": "local response normalisation",
    "LpNormalization": "L2 normalisation",
}
_NAMES: Mapping[str, str] = {"Div": "division", "ReduceL2": "linalg_vector_norm"}
"""PyTorch's names of unknown operators, if they differ from ONNX's in more than form."""
_POOLINGS: Mapping[str, str] = {
    **dict.fromkeys(("AveragePool", "GlobalAveragePool", "ReduceMean"), "average"),
    **dict.fromkeys(("MaxPool", "GlobalMaxPool", "ReduceMax"), "max"),
}
_Reading = tuple[Kind, int, dict[str, Attribute]]
"""Kind of a layer, its multiply-adds for the batch, and its attributes."""


def read_layers(graph: OnnxGraph) -> list[Layer]:
    """Convert a graph to layers; an unknown operator becomes a layer of kind `other`.

    Raises:
        SnapError: a shape is unknown, or an attribute is invalid.
    """
    return _Reader(graph).layers()


class _Reader:
    """Converts nodes in order.

    A node that depends on no input of the network becomes no layer; its parameters belong to the
    first layer that reads it.
    """

    def __init__(self, graph: OnnxGraph) -> None:
        self._graph = graph
        self._place: dict[str, int] = {}
        """The layer that outputs a value, by value that depends on an input."""
        self._owed = {name: each.trainable for name, each in graph.constants.items()}
        """Parameters not yet counted by a layer, by value that depends on no input."""
        self._producer = {value: node for node in graph.nodes for value in node.outputs if value}

    def layers(self) -> list[Layer]:
        graph = self._graph
        found = regions(graph, _computed(graph))
        inside = {place for region in found.values() for place in region.members}
        layers: list[Layer] = []
        for name in graph.inputs:
            self._place[name] = len(layers)
            layers.append(Layer("input", (), self._shape_of_one(name)))
        for place, node in enumerate(graph.nodes):
            if place in inside and place not in found:
                continue
            layer = self._layer(node, found.get(place))
            if layer is not None:
                layers += self._parts(node, layer, len(layers))
        results = tuple(self._place[name] for name in graph.outputs if name in self._place)
        layers.append(Layer("output", results, self._shape_of_one(graph.outputs[0])))
        return layers

    def _parts(self, node: Node, layer: Layer, place: int) -> Iterator[Layer]:
        """Yield the layer of a node, and one per further output if it splits a value."""
        for number, name in enumerate(filter(None, node.outputs)):
            is_part = number and layer.kind == "pass"
            self._place[name] = place + number if is_part else place
            if is_part or not number:
                yield replace(layer, params=0) if number else layer

    def _layer(self, node: Node, region: Region | None) -> Layer | None:
        """Return the layer of a node; None if it depends on no input of the network."""
        if region is not None:
            return self._joined(node, region)
        reads = tuple(self._place[name] for name in node.operands if name in self._place)
        params = self._params(node)
        if not reads:
            self._owed[node.outputs[0]] = params
            return None
        name = next(filter(None, node.outputs))
        if node.op in _PASS:
            is_known = name in self._graph.shapes  # not of a sequence of tensors
            return Layer("pass", reads, self._shape_of_one(name) if is_known else (), params)
        shape, batch = self._shape(name), self._graph.batch
        kind, flops, known = self._reading(node, shape)
        activations = self._activations(node, shape) if kind in _COUNTED else 0
        costs = (params, flops // batch, activations // batch)
        return Layer(kind, reads, self._shape_of_one(name), *costs, known)

    def reads(self, node: Node, place: int) -> bool:
        """Return whether an input of a node depends on the network's inputs."""
        return node.inputs[place] in self._place

    def _joined(self, node: Node, region: Region) -> Layer:
        """Return the layer of a region that ends in a node."""
        params = sum(self._params(self._graph.nodes[place]) for place in region.members)
        source, shape = (self._place[region.source],), self._shape_of_one(node.outputs[0])
        return Layer(region.kind, source, shape, params, attributes={"name": region.name})

    def _params(self, node: Node) -> int:
        return sum(self._owed.pop(name, 0) for name in node.inputs)

    def _shape(self, name: str) -> Shape:
        shape = self._graph.shapes.get(name)
        if shape is None and name in self._graph.constants:
            shape = self._graph.constants[name].shape
        if shape is None:
            node = self._producer.get(name)
            raise SnapError(
                f"the shape of {excerpt(name)}{f' (of a {node.op})' if node else ''} cannot be "
                "inferred; export it with fixed shapes, or simplify it (onnxsim)"
            )
        return shape

    def _shape_of_one(self, name: str) -> Shape:
        """Return the shape of a value for one input; its first dimension may include the batch."""
        shape, batch = self._shape(name), self._graph.batch
        if not shape or shape[0] == batch:
            return shape[1:]
        return (shape[0] // batch, *shape[1:]) if shape[0] % batch == 0 else shape

    def _reading(self, node: Node, shape: Shape) -> _Reading:
        op = node.op
        if op in _PLAIN:
            return _PLAIN[op], 0, {}
        if op in _ACTIVATIONS:
            return "activation", 0, {"name": _ACTIVATIONS[op]}
        if op in _NORMALISATIONS:
            return "normalisation", 0, {"name": self._normalisation(node)}
        reader = _READERS.get(op)
        read = reader(self, node, shape) if reader else None
        return read or ("other", 0, {"name": _plain_name(op)})

    def _normalisation(self, node: Node) -> str:
        """Return the name of a normalisation.

        Exporters write a group normalisation as an instance normalisation after a reshape.
        """
        before = self._producer.get(node.inputs[0])
        if node.op == "InstanceNormalization" and before is not None and before.op == "Reshape":
            return "group normalisation"
        return _NORMALISATIONS[node.op]

    def _activations(self, node: Node, shape: Shape) -> int:
        """Return the number of output elements for the batch, of both products of an attention."""
        weights = 0
        if node.op == "Attention":
            query, key = (self._shape(name) for name in node.inputs[:2])
            weights = query[0] * _heads(node, query) * query[-2] * key[-2]
        return weights + math.prod(shape)

    def _convolution(self, node: Node, shape: Shape) -> _Reading:
        source, weight = (self._shape(name) for name in node.inputs[:2])
        transposed = node.op == "ConvTranspose"
        groups = _whole(node, "group", 1)
        rank = len(weight) - 2
        fits = len(source) == len(weight) and rank >= 1 and groups >= 1
        if not fits or math.prod(weight) == 0 or weight[0] % groups:
            raise _senseless(node, f"{groups} groups and a weight of {excerpt(list(weight))}")
        entering = weight[0] if transposed else weight[1] * groups
        leaving = weight[1] * groups if transposed else weight[0]
        if source[1] != entering:
            raise _senseless(node, f"weights for {entering} channels, but reads {source[1]}")
        flops = math.prod(source if transposed else shape) * math.prod(weight[1:])
        known: dict[str, Attribute] = {
            "kernel": _checked(node, "kernel", weight[2:]),
            "stride": _window(node, "strides", rank),
            "dilation": _window(node, "dilations", rank),
            "groups": groups,
            "in_channels": entering,
            "out_channels": leaving,
            "transposed": transposed,
        }
        return "convolution", flops, known

    def _matrices(self, node: Node, shape: Shape) -> _Reading:
        first, second = (self._shape(name) for name in node.inputs[:2])
        if not first or not second:
            raise _senseless(node, "a number for a matrix")
        shared = first[0] if node.attributes.get("transA") else first[-1]
        flops = math.prod(shape) * shared
        if self.reads(node, 0) and self.reads(node, 1):
            return "product", flops, {}
        return "linear", flops, {"in_features": shared, "out_features": shape[-1] if shape else 1}

    def _einsum(self, node: Node, shape: Shape) -> _Reading | None:
        """Read an Einstein summation; None if its equation has an ellipsis."""
        terms = str(node.attributes.get("equation", "")).replace(" ", "").split("->")[0].split(",")
        sides: dict[str, int] = {}
        for term, name in zip(terms, node.inputs, strict=False):
            sides |= dict(zip(term, self._shape(name), strict=False))
        if len(terms) != 2 or not all(label.isalpha() for label in sides):
            return None
        both = all(name in self._place for name in node.inputs)
        return "product" if both else "linear", math.prod(sides.values()), {}

    def _pooling(self, node: Node, shape: Shape) -> _Reading:
        source = self._shape(node.inputs[0])
        kernel = _window(node, "kernel_shape", len(source) - 2)
        known: dict[str, Attribute] = {"name": _POOLINGS[node.op]}
        if kernel == source[2:] and set(shape[2:]) == {1}:
            return "pooling", 0, {**known, "is_global": True}
        stride = _window(node, "strides", len(source) - 2)
        return "pooling", 0, {**known, "kernel": kernel, "stride": stride}

    def _reduction(self, node: Node, _: Shape) -> _Reading | None:
        """Read a reduction to batch and channels as global pooling; None for other reductions."""
        rank = len(self._shape(node.inputs[0]))
        axes = {int(axis) % rank for axis in self._integers(node, "axes", 1)} if rank else set()
        if rank < 3 or 0 in axes or len(axes) != rank - 2:
            return None
        return "pooling", 0, {"name": _POOLINGS[node.op], "is_global": True}

    def _integers(self, node: Node, attribute: str, place: int) -> Sequence[int | float]:
        """Return the integers of an attribute, or of the input that replaced it in newer opsets."""
        values = node.attributes.get(attribute)
        if isinstance(values, tuple):
            return [value for value in values if isinstance(value, int)]
        return self._values(node, place)

    def _values(self, node: Node, place: int) -> Sequence[int | float]:
        """Return the values of a small constant input; empty for other inputs."""
        name = node.inputs[place] if len(node.inputs) > place else ""
        constant = self._graph.constants.get(name)
        return constant.values or () if constant else ()

    def _clip(self, node: Node, _: Shape) -> _Reading:
        low, high = (self._bound(node, key, place) for place, key in ((1, "min"), (2, "max")))
        if low == 0 and high in (6, None):
            return "activation", 0, {"name": "ReLU6" if high else "ReLU"}
        return "activation", 0, {"name": "clamp"}

    def _bound(self, node: Node, key: str, place: int) -> float | None:
        value = node.attributes.get(key)
        value = next(iter(self._values(node, place)), value)
        return float(value) if isinstance(value, int | float) else None

    def _power(self, node: Node, _: Shape) -> _Reading | None:
        is_square = self._values(node, 1) == (2,)
        return ("activation", 0, {"name": "square"}) if is_square else None

    def _attention(self, node: Node, shape: Shape) -> _Reading:
        query, key = (self._shape(name) for name in node.inputs[:2])
        if len(query) < 3 or len(key) < 3:
            raise _senseless(node, f"a query of {excerpt(list(query))}")
        heads = _heads(node, query)
        flops = key[-2] * (math.prod(query) + math.prod(shape))
        channels = query[-1] if len(query) > 3 else query[-1] // max(heads, 1)
        return "attention", flops, {"heads": heads, "head_channels": channels}


def _global_pooling(_: _Reader, node: Node, __: Shape) -> _Reading:
    return "pooling", 0, {"name": _POOLINGS[node.op], "is_global": True}


_Read = Callable[[_Reader, Node, Shape], _Reading | None]
_READERS: Mapping[str, _Read] = {
    "Conv": _Reader._convolution,
    "ConvTranspose": _Reader._convolution,
    "Gemm": _Reader._matrices,
    "MatMul": _Reader._matrices,
    "Einsum": _Reader._einsum,
    **dict.fromkeys(("AveragePool", "MaxPool"), _Reader._pooling),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global_pooling),
    **dict.fromkeys(("ReduceMean", "ReduceMax"), _Reader._reduction),
    "Clip": _Reader._clip,
    "Gather": lambda r, node, _: ("pass" if r.reads(node, 0) else "embedding", 0, {}),
    "Div": lambda r, node, _: None if r.reads(node, 1) else ("multiply", 0, {}),
    "Pow": _Reader._power,
    "Attention": _Reader._attention,
}


def _computed(graph: OnnxGraph) -> set[str]:
    """Return the values that depend on the network's inputs."""
    computed = set(graph.inputs)
    for node in graph.nodes:
        if not computed.isdisjoint(node.operands):
            computed.update(filter(None, node.outputs))
    return computed


def _plain_name(op: str) -> str:
    """Return PyTorch's name of an operator: `sum` for `ReduceSum`."""
    return _NAMES.get(op) or (op if "." in op else op.removeprefix("Reduce").lower())


def _heads(node: Node, query: Shape) -> int:
    return query[1] if len(query) > 3 else _whole(node, "q_num_heads", 1)


def _window(node: Node, key: str, rank: int) -> tuple[int, ...]:
    values = node.attributes.get(key, (1,) * rank)
    if not isinstance(values, tuple) or len(values) != rank:
        raise _senseless(node, f"{key} {excerpt(values)} for {rank} dimensions")
    return _checked(node, key, tuple(int(value) for value in values))


def _checked(node: Node, key: str, values: tuple[int, ...]) -> tuple[int, ...]:
    if not all(1 <= value <= _LARGEST_WINDOW for value in values):
        raise _senseless(node, f"{key} {excerpt(list(values))}")
    return values


def _whole(node: Node, key: str, default: int) -> int:
    value = node.attributes.get(key, default)
    return value if isinstance(value, int) else default


def _senseless(node: Node, what: str) -> SnapError:
    return SnapError(f"a {node.op} ({excerpt(node.outputs[0])}) has {what}; refused")
