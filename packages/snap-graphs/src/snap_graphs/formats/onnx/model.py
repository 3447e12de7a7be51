"""Read an ONNX model without weights as a graph, and check its structure."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from snap_catalog import SnapError
from snap_catalog.errors import excerpt, one_line

from snap_graphs.formats.onnx import shape_inference
from snap_graphs.formats.onnx.graph import Constant, Node, OnnxGraph, Shape, Value, sized

if TYPE_CHECKING:
    from onnx import GraphProto, TensorProto

_SIGNATURE = "pkg.torch.export.ExportedProgram.graph_signature"
"""Metadata in which PyTorch's exporter lists parameters and buffers."""
_BUFFER = re.compile(r"BUFFER target='([^']+)'")
_PARAMETER = re.compile(r"PARAMETER target='([^']+)'")
_MOST_VALUES = 64
"""Maximum number of elements of a tensor whose values are read: axes, bounds, exponents."""
_LONGEST_NAME = 200
"""Maximum length of an operator's name in characters."""


def read_graph(outlined: bytes, inputs: Sequence[Shape] = ()) -> OnnxGraph:
    """Read a model as a graph whose values have shapes.

    Args:
        outlined: the model without its weights.
        inputs: shapes of the network's inputs, in order and without the batch dimension, for models
            that leave them open.

    Raises:
        SnapError: the model is invalid; describes the fault in one line.
        Exception: the bytes are not a model; the type is that of the ONNX library.
    """
    import onnx

    model = onnx.load_from_string(outlined)
    tensors = constants(model.graph)
    _check_order(model.graph, tensors)
    batch = shape_inference.close_inputs(model.graph, tensors, inputs)
    inferred = onnx.load_from_string(shape_inference.inferred(model)).graph
    for tensor in inferred.initializer:
        if tensor.name not in tensors:  # computed from shapes
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
    """Refuse a graph that defines a value twice, or reads a value before its definition."""
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
    name, domain = one_line(proto.op_type), one_line(proto.domain)  # errors print them
    return name if domain in ("", "ai.onnx") else f"{domain}.{name}"


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


def constants(graph: "GraphProto") -> dict[str, Constant]:
    """Return the tensors stored in a model, by name.

    Floating-point tensors of several elements count as trainable, unless they are running
    statistics of a batch normalisation or the exporter lists them as buffers.

    Raises:
        SnapError: a tensor is stored twice, or is implausibly large.
    """
    signature = "".join(entry.value for entry in graph.metadata_props if entry.key == _SIGNATURE)
    buffers, parameters = (set(form.findall(signature)) for form in (_BUFFER, _PARAMETER))
    buffers |= {
        name
        for node in graph.node
        if node.op_type == "BatchNormalization"
        for name in node.input[3:5]
    }
    found: dict[str, Constant] = {}
    for tensor in graph.initializer:
        if tensor.name in found:
            raise SnapError(f"it holds the tensor {excerpt(tensor.name)} twice")
        size = sized(tensor.name, tensor.dims)
        trains = tensor.name in parameters or (size > 1 and tensor.name not in buffers)
        trainable = size if trains and _is_float(tensor) else 0
        found[tensor.name] = Constant(tuple(tensor.dims), trainable, values_of(tensor))
    return found


def _is_float(tensor: "TensorProto") -> bool:
    from onnx import TensorProto

    kinds = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    return tensor.data_type in kinds


def values_of(tensor: "TensorProto") -> tuple[int | float, ...] | None:
    """Return the values of a small tensor; None for a larger one or one without data."""
    from onnx import numpy_helper

    if math.prod(tensor.dims) > _MOST_VALUES:
        return None
    try:
        values: list[Any] = numpy_helper.to_array(tensor).reshape(-1).tolist()
    except Exception:  # the data are missing, or do not fit the dimensions
        return None
    return tuple(values) if all(isinstance(value, int | float) for value in values) else None


def of_node(proto: Any) -> Constant:
    """Return the tensor of a `Constant` node; it is not trainable."""
    for attribute in proto.attribute:
        if attribute.name == "value":
            dims = tuple(attribute.t.dims)
            sized(proto.output[0], dims)
            return Constant(dims, 0, values_of(attribute.t))
        if attribute.name in ("value_float", "value_int"):
            return Constant((), 0, (attribute.f or attribute.i,))
        if attribute.name in ("value_floats", "value_ints"):
            values = (*attribute.floats, *attribute.ints)
            return Constant((len(values),), 0, values)
    return Constant(())
