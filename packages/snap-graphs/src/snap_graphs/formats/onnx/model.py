"""Read an ONNX model without weights as a graph, with further checks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

from snap_graphs.formats.onnx import shape_inference
from snap_graphs.formats.onnx.constants import constants, of_node, values_of
from snap_graphs.formats.onnx.graph import Constant, Node, OnnxGraph, Shape, Value
from snap_graphs.formats.onnx.inputs import close_inputs

if TYPE_CHECKING:
    from onnx import GraphProto

_LONGEST_NAME = 200
"""Letters that an operator's name may have."""


def read_graph(outlined: bytes, inputs: Sequence[Shape] = ()) -> OnnxGraph:
    """Read a model.

    Args:
        outlined: the model without its weights.
        inputs: shapes of the network's inputs, in order and without the batch dimension, where
            the model leaves them open.

    Raises:
        SnapError: in one line, what is wrong with it.
        Exception: whatever the library makes of bytes that are no model.
    """
    import onnx

    model = onnx.load_from_string(outlined)
    tensors = constants(model.graph)
    _check_order(model.graph, tensors)
    batch = close_inputs(model.graph, tensors, inputs)
    inferred = onnx.load_from_string(shape_inference.inferred(model)).graph
    for tensor in inferred.initializer:
        if tensor.name not in tensors:  # it was computed from shapes
            tensors[tensor.name] = Constant(tuple(tensor.dims), 0, values_of(tensor))
    nodes = []
    for proto in inferred.node:
        node = Node(_operator(proto), tuple(proto.input), tuple(proto.output), _attributes(proto))
        if node.op == "Constant":
            tensors[node.outputs[0]] = of_node(proto)
        else:
            nodes.append(node)
    return OnnxGraph(
        tuple(nodes),
        tuple(entry.name for entry in inferred.input if entry.name not in tensors),
        tuple(entry.name for entry in inferred.output),
        tensors,
        shape_inference.shapes_of(inferred),
        batch,
    )


def _check_order(graph: "GraphProto", tensors: Mapping[str, Constant]) -> None:
    """Refuse a graph with a value that is made twice, or read before it is made or by no one."""
    made = {"", *tensors, *(entry.name for entry in graph.input)}
    if not graph.output:
        raise SnapError("it has no output")
    for node in graph.node:
        if max(len(node.op_type), len(node.domain)) > _LONGEST_NAME:
            raise SnapError(f"a node has the operator {excerpt(node.op_type)}")
        missing = [name for name in node.input if name not in made]
        if missing:
            raise SnapError(
                f"a node {excerpt(node.op_type)} reads {excerpt(missing[0])}, which nothing before "
                "it makes; the nodes must be in topological order, without cycles"
            )
        outputs = [name for name in node.output if name]
        if not outputs:
            raise SnapError(f"a node {excerpt(node.op_type)} has no output")
        for name in outputs:
            if name in made:
                raise SnapError(f"the value {excerpt(name)} is made twice")
            made.add(name)
    for entry in graph.output:
        if entry.name not in made:
            raise SnapError(f"nothing makes the output {excerpt(entry.name)}")


def _operator(proto: Any) -> str:
    domain = str(proto.domain)
    return str(proto.op_type) if domain in ("", "ai.onnx") else f"{domain}.{proto.op_type}"


def _attributes(proto: Any) -> dict[str, Value]:
    from onnx import AttributeProto

    found: dict[str, Value] = {}
    for attribute in proto.attribute:
        match attribute.type:
            case AttributeProto.INT:
                found[attribute.name] = int(attribute.i)
            case AttributeProto.FLOAT:
                found[attribute.name] = float(attribute.f)
            case AttributeProto.STRING:
                found[attribute.name] = attribute.s.decode(errors="replace")
            case AttributeProto.INTS:
                found[attribute.name] = tuple(attribute.ints)
            case AttributeProto.FLOATS:
                found[attribute.name] = tuple(attribute.floats)
    return found
