"""Infer the shapes in an ONNX model, as a separate script: `python -I inference.py`.

The script reads a model from standard input and writes it with shapes to standard output. It
computes sizes that the model derives from shapes, and stores them as tensors. A hostile model can
crash the ONNX library, or make it use any amount of memory and time; in a separate process, this
ends only the process.
"""

import contextlib
import math
import sys
from typing import Any

_MOST_MEMORY = 1 << 32
_MOST_SECONDS = 120
_MOST_ROUNDS = 16
_MOST_VALUES = 1 << 10
"""Maximum number of elements of a tensor of sizes."""
_ON_SIZES = frozenset({
    "Gather", "Concat", "Unsqueeze", "Squeeze", "Cast", "CastLike", "Reshape", "Slice", "Add",
    "Sub", "Mul", "Div", "Mod", "Neg", "Min", "Max", "Equal", "Less", "Greater", "And", "Not",
    "Where", "ReduceProd", "ReduceSum", "ReduceMax", "Identity", "Floor", "Ceil", "Sqrt", "Size",
    "Transpose", "Expand", "ConstantOfShape", "Range", "Split",
})  # fmt: skip
"""Operators with which exporters compute sizes."""


def main() -> int:
    """Infer shapes, within limits if the system supports them, and return the exit status."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import onnx

    try:
        model = _inferred(onnx.load_from_string(sys.stdin.buffer.read()))
    except Exception as error:  # a damaged model can raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        sys.stderr.write(reason[:300])
        return 1
    sys.stdout.buffer.write(model.SerializeToString())
    return 0


def _inferred(model: Any) -> Any:
    """Compute sizes and infer shapes in turn, until no more sizes can be computed."""
    from onnx.shape_inference import infer_shapes

    for _ in range(_MOST_ROUNDS):
        folded = _fold(model)
        model = infer_shapes(model, data_prop=True)
        if not folded:
            break
    return model


def _fold(model: Any) -> bool:
    """Replace nodes that compute sizes by tensors, and return whether there was one."""
    from onnx import numpy_helper

    graph = model.graph
    values = {tensor.name: _sizes(tensor) for tensor in graph.initializer}
    shapes = _shapes(graph)
    kept, found = [], False
    for node in graph.node:
        outputs = _computed(model, node, values, shapes)
        for name, value in zip(node.output, outputs, strict=False):
            values[name] = value
            graph.initializer.append(numpy_helper.from_array(value, name))
        found = found or bool(outputs)
        if not outputs:
            kept.append(node)
            if node.op_type == "Constant":
                values[node.output[0]] = _constant(node)
    del graph.node[:]
    graph.node.extend(kept)
    return found


def _computed(model: Any, node: Any, values: dict[str, Any], shapes: dict[str, Any]) -> list[Any]:
    """Return the outputs of a node that computes sizes; empty for other nodes."""
    import numpy as np

    if node.domain not in ("", "ai.onnx"):
        return []
    if node.op_type == "Shape" and shapes.get(node.input[0]) is not None:
        known = {attribute.name: attribute.i for attribute in node.attribute}
        sides = shapes[node.input[0]][known.get("start", 0) : known.get("end")]
        return [np.array(sides, np.int64)]
    inputs = {name: values.get(name) for name in node.input if name}
    if node.op_type not in _ON_SIZES or any(value is None for value in inputs.values()):
        return []
    if _grows(node, list(inputs.values())):
        return []
    with contextlib.suppress(Exception):  # the node is kept
        outputs = [np.asarray(value) for value in _run(model, node, inputs)]
        if outputs and all(value.size <= _MOST_VALUES for value in outputs):
            return outputs
    return []


def _grows(node: Any, inputs: list[Any]) -> bool:
    """Return whether the output of a node may be much larger than its inputs."""
    match node.op_type:
        case "Expand":
            return math.prod(map(int, inputs[-1].reshape(-1))) > _MOST_VALUES
        case "ConstantOfShape":
            return math.prod(map(int, inputs[0].reshape(-1))) > _MOST_VALUES
        case "Range":
            start, limit, step = (float(value.reshape(-1)[0]) for value in inputs)
            return not step or abs((limit - start) / step) > _MOST_VALUES
    return False


def _run(model: Any, node: Any, inputs: dict[str, Any]) -> list[Any]:
    from onnx import helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    graph = helper.make_graph(
        [node],
        "sizes",
        [],
        [helper.make_empty_tensor_value_info(name) for name in node.output],
        [numpy_helper.from_array(value, name) for name, value in inputs.items()],
    )
    small = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    return list(ReferenceEvaluator(small).run(None, {}))


def _constant(node: Any) -> Any:
    import numpy as np

    for attribute in node.attribute:
        match attribute.name:
            case "value":
                return _sizes(attribute.t, scalars=True)
            case "value_int":
                return np.array(attribute.i, np.int64)
            case "value_ints" if len(attribute.ints) <= _MOST_VALUES:
                return np.array(attribute.ints, np.int64)
            case "value_float":
                return np.array(attribute.f, np.float32)
    return None


def _sizes(tensor: Any, *, scalars: bool = False) -> Any:
    """Return the values of a small tensor of integers; None for others.

    Args:
        tensor: the tensor.
        scalars: also return single floating-point numbers.
    """
    from onnx import TensorProto, numpy_helper

    whole = tensor.data_type in (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL)
    most = _MOST_VALUES if whole else int(scalars)
    if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) > most:
        return None
    with contextlib.suppress(Exception):  # the data are missing, or do not fit
        return numpy_helper.to_array(tensor)
    return None


def _shapes(graph: Any) -> dict[str, list[int]]:
    shapes: dict[str, list[int]] = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for entry in (*graph.input, *graph.value_info, *graph.output):
        tensor = entry.type.tensor_type
        if tensor.HasField("shape"):
            sides = [d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim]
            if -1 not in sides:
                shapes.setdefault(entry.name, sides)
    return shapes


if __name__ == "__main__":
    sys.exit(main())
