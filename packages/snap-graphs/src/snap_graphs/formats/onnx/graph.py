"""An ONNX model as plain values, checked: nodes in order, constants, the shapes of values."""

import math
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

Shape = tuple[int, ...]
Value = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]

MOST_ELEMENTS = 1 << 48
"""Elements that a tensor may have."""
_LONGEST_NAME = 200
_SCRIPT = Path(__file__).with_name("inference.py")
_SECONDS = 300
_SIGNATURE = "pkg.torch.export.ExportedProgram.graph_signature"
_BUFFER = re.compile(r"BUFFER target='([^']+)'")
_PARAMETER = re.compile(r"PARAMETER target='([^']+)'")
_OF_SHAPES = frozenset({"Shape", "Size"})


@dataclass(frozen=True, slots=True)
class Node:
    """A node of an ONNX graph.

    Attributes:
        op: its operator, with the domain in front unless that is ONNX's own.
        inputs: names of values; empty where an optional one is left out.
        outputs: names of values.
        attributes: by name, those that are numbers, texts or lists of such.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Value]

    @property
    def operands(self) -> tuple[str, ...]:
        """The inputs whose values count, not only their shapes or types."""
        if self.op in _OF_SHAPES:
            return ()
        return self.inputs[:1] if self.op == "CastLike" else self.inputs


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor that the file holds.

    Attributes:
        shape: its dimensions.
        trainable: the elements that training changes.
        values: what a small tensor holds, row by row; None for others.
    """

    shape: Shape
    trainable: int = 0
    values: tuple[int | float, ...] | None = None


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """A model's graph.

    Attributes:
        nodes: in topological order.
        inputs: names of the network's inputs.
        outputs: names of its results.
        constants: by name.
        shapes: by name, of every value whose shape could be inferred, batch dimension included.
        batch: how many inputs the shapes are for.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Constant]
    shapes: Mapping[str, Shape]
    batch: int


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
    constants = _constants(model.graph)
    _check_order(model.graph, constants)
    batch = _close_inputs(model.graph, constants, inputs)
    inferred = onnx.load_from_string(_inferred(model)).graph
    for tensor in inferred.initializer:
        if tensor.name not in constants:  # it was computed from shapes
            constants[tensor.name] = Constant(tuple(tensor.dims), 0, _values(tensor))
    nodes = []
    for proto in inferred.node:
        node = Node(_operator(proto), tuple(proto.input), tuple(proto.output), _attributes(proto))
        if node.op == "Constant":
            constants[node.outputs[0]] = _constant_node(proto)
        else:
            nodes.append(node)
    return OnnxGraph(
        tuple(nodes),
        tuple(entry.name for entry in inferred.input if entry.name not in constants),
        tuple(entry.name for entry in inferred.output),
        constants,
        _shapes(inferred),
        batch,
    )


def _constants(graph: "GraphProto") -> dict[str, Constant]:
    signature = "".join(entry.value for entry in graph.metadata_props if entry.key == _SIGNATURE)
    buffers, parameters = (set(form.findall(signature)) for form in (_BUFFER, _PARAMETER))
    buffers |= {
        name
        for node in graph.node
        if node.op_type == "BatchNormalization"
        for name in node.input[3:5]
    }
    constants: dict[str, Constant] = {}
    for tensor in graph.initializer:
        if tensor.name in constants:
            raise SnapError(f"it holds the tensor {excerpt(tensor.name)} twice")
        size = _size(tensor.name, tensor.dims)
        trains = tensor.name in parameters or (size > 1 and tensor.name not in buffers)
        trainable = size if trains and _is_float(tensor) else 0
        constants[tensor.name] = Constant(tuple(tensor.dims), trainable, _values(tensor))
    return constants


def _is_float(tensor: "TensorProto") -> bool:
    from onnx import TensorProto

    kinds = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    return tensor.data_type in kinds


def _values(tensor: "TensorProto") -> tuple[int | float, ...] | None:
    """Return a small tensor's values; None where it is larger or they are not in the outline."""
    from onnx import numpy_helper

    if math.prod(tensor.dims) > 64:
        return None
    try:
        values: list[Any] = numpy_helper.to_array(tensor).reshape(-1).tolist()
    except Exception:  # what was left out, or does not fit its dimensions
        return None
    return tuple(values) if all(isinstance(value, int | float) for value in values) else None


def _constant_node(proto: Any) -> Constant:
    for attribute in proto.attribute:
        if attribute.name == "value":
            dims = tuple(attribute.t.dims)
            _size(proto.output[0], dims)
            return Constant(dims, 0, _values(attribute.t))
        if attribute.name in ("value_float", "value_int"):
            return Constant((), 0, (attribute.f or attribute.i,))
        if attribute.name in ("value_floats", "value_ints"):
            values = (*attribute.floats, *attribute.ints)
            return Constant((len(values),), 0, values)
    return Constant(())


def _size(name: str, dims: Iterable[int]) -> int:
    sides = tuple(dims)
    size = math.prod(sides)
    if min(sides, default=0) < 0 or size > MOST_ELEMENTS:
        raise SnapError(f"the tensor {excerpt(name)} has the dimensions {excerpt(list(sides))}")
    return size


def _check_order(graph: "GraphProto", constants: Mapping[str, Constant]) -> None:
    """Refuse a graph with a value that is made twice, or read before it is made or by no one."""
    made = {"", *constants, *(entry.name for entry in graph.input)}
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


def _close_inputs(
    graph: "GraphProto", constants: Mapping[str, Constant], given: Sequence[Shape]
) -> int:
    """Give every input a shape, with a batch of one where that is open; return the batch."""
    entries = [entry for entry in graph.input if entry.name not in constants]
    if not entries or len({entry.name for entry in entries}) < len(entries):
        raise SnapError("it has no input, or two of one name")
    if given and len(given) != len(entries):
        names = ", ".join(excerpt(entry.name) for entry in entries[:5])
        raise SnapError(f"--input is given {len(given)} times for {len(entries)} inputs ({names})")
    closed: dict[str, int] = {}
    batch = 1
    for place, entry in enumerate(entries):
        if entry.type.WhichOneof("value") != "tensor_type":
            raise SnapError(f"the input {excerpt(entry.name)} is no tensor")
        tensor = entry.type.tensor_type
        if not tensor.HasField("shape"):
            raise _open(entry.name, "no shape")
        sides = _closed(entry.name, tensor.shape.dim, given[place] if given else None, closed)
        _size(entry.name, sides)
        for dimension, side in zip(tensor.shape.dim, sides, strict=True):
            dimension.dim_value = side
        batch = sides[0] if sides and not place else batch
    for output in (*graph.output, *graph.value_info):
        for dimension in output.type.tensor_type.shape.dim:
            name = dimension.dim_param
            if name:
                dimension.Clear()
                if name in closed:
                    dimension.dim_value = closed[name]
    return max(batch, 1)


def _closed(
    name: str, dimensions: Sequence[Any], given: Shape | None, closed: dict[str, int]
) -> Shape:
    """Return an input's shape; `closed` keeps what its symbols stand for."""
    if given is not None and len(given) != len(dimensions) - 1:
        raise SnapError(
            f"the input {excerpt(name)} has {len(dimensions)} dimensions with that of the batch; "
            f"--input gives {'x'.join(map(str, given))}"
        )
    sides = []
    for place, dimension in enumerate(dimensions):
        fixed = dimension.dim_value if dimension.HasField("dim_value") else None
        wanted = 1 if place == 0 else given[place - 1] if given else None
        if fixed is not None and fixed > 0:
            if place and wanted not in (None, fixed):
                raise SnapError(f"the input {excerpt(name)} has {fixed} where --input has {wanted}")
            sides.append(fixed)
            continue
        side = closed.get(dimension.dim_param) if dimension.dim_param else None
        side = wanted if wanted is not None and (given or side is None) else side
        if side is None:
            raise _open(name, f"an open dimension {excerpt(dimension.dim_param)}")
        if dimension.dim_param:
            closed[dimension.dim_param] = side
        sides.append(side)
    return tuple(sides)


def _open(name: str, what: str) -> SnapError:
    return SnapError(
        f"the input {excerpt(name)} has {what}; give its shape without the batch, as "
        "--input 3x224x224"
    )


def _inferred(model: "ModelProto") -> bytes:
    """Return the model with the shapes of its values, inferred in a process of its own."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_SCRIPT)],
            input=model.SerializeToString(),
            capture_output=True,
            timeout=_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SnapError(f"inferring its shapes takes more than {_SECONDS} seconds") from error
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[-300:]
        raise SnapError(f"its shapes cannot be inferred ({said or 'out of bounds'}); refused")
    return bytes(done.stdout)


def _shapes(graph: "GraphProto") -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for entry in (*graph.input, *graph.value_info, *graph.output):
        tensor = entry.type.tensor_type
        if tensor.HasField("shape"):
            sides = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim)
            if -1 not in sides:
                _size(entry.name, sides)
                shapes[entry.name] = sides
    return shapes


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
