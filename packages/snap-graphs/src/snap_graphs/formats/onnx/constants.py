"""The tensors that an ONNX model holds, and which of them are trained."""

import math
import re
from typing import TYPE_CHECKING, Any

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

from snap_graphs.formats.onnx.graph import Constant, sized

if TYPE_CHECKING:
    from onnx import GraphProto, TensorProto

_SIGNATURE = "pkg.torch.export.ExportedProgram.graph_signature"
"""Metadata in which PyTorch's exporter lists parameters and buffers."""
_BUFFER = re.compile(r"BUFFER target='([^']+)'")
_PARAMETER = re.compile(r"PARAMETER target='([^']+)'")
_MOST_VALUES = 64
"""Elements of a tensor whose values are looked at: axes, bounds, exponents."""


def constants(graph: "GraphProto") -> dict[str, Constant]:
    """Return a model's tensors by name.

    Trained are those of floating point with several elements, unless they are the running
    statistics of a batch normalisation or the exporter lists them as buffers.

    Raises:
        SnapError: one is there twice, or is absurdly large.
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
    """Return a small tensor's values; None if it is larger or they are not in the outline."""
    from onnx import numpy_helper

    if math.prod(tensor.dims) > _MOST_VALUES:
        return None
    try:
        values: list[Any] = numpy_helper.to_array(tensor).reshape(-1).tolist()
    except Exception:  # what was left out, or does not fit its dimensions
        return None
    return tuple(values) if all(isinstance(value, int | float) for value in values) else None


def of_node(proto: Any) -> Constant:
    """Return the tensor of a node `Constant`, which is never trained."""
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
