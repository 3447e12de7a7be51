"""Determine the shapes of an ONNX model's inputs, and infer those of its other values."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

from snap_graphs.formats.onnx.graph import Constant, Shape, sized

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

_SCRIPT = Path(__file__).with_name("inference.py")
_SECONDS = 300


def close_inputs(
    graph: "GraphProto", constants: Mapping[str, Constant], given: Sequence[Shape]
) -> int:
    """Set the open dimensions of every input in place, and return the batch size.

    An open batch dimension becomes 1.

    Args:
        graph: the graph to change.
        constants: its stored tensors, which older models list among the inputs.
        given: shapes of the inputs, in order and without the batch; empty if the model states all.

    Raises:
        SnapError: a dimension stays open, or differs from the given one.
    """
    entries = [entry for entry in graph.input if entry.name not in constants]
    if not entries or len({entry.name for entry in entries}) < len(entries):
        raise SnapError("it has no input, or two with the same name")
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
        sized(entry.name, sides)
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
    """Return the shape of an input, and add the sizes of its symbolic dimensions to `closed`."""
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


def inferred(model: "ModelProto") -> bytes:
    """Return a model with inferred shapes; a separate process infers them.

    Raises:
        SnapError: the shapes contradict each other, or the process exceeds its limits.
    """
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
        reason = " ".join(done.stderr.decode(errors="replace").split())[-300:]
        raise SnapError(f"its shapes cannot be inferred ({reason or 'out of bounds'}); refused")
    return bytes(done.stdout)


def shapes_of(graph: "GraphProto") -> dict[str, Shape]:
    """Return the known shapes of a graph's values, by name.

    Raises:
        SnapError: a shape is implausibly large.
    """
    shapes: dict[str, Shape] = {}
    for entry in (*graph.input, *graph.value_info, *graph.output):
        tensor = entry.type.tensor_type
        if tensor.HasField("shape"):
            sides = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim)
            if -1 not in sides:
                sized(entry.name, sides)
                shapes[entry.name] = sides
    return shapes
