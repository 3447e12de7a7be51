"""Infer the shapes in an ONNX model in a separate process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from snap_catalog import SnapError

from snap_graphs.formats.onnx.graph import Shape, sized

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

_SCRIPT = Path(__file__).with_name("inference.py")
_SECONDS = 300


def inferred(model: "ModelProto") -> bytes:
    """Return a model with the shapes of its values, inferred in a process of its own.

    Raises:
        SnapError: they contradict each other, or the process ran out of its bounds.
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
    """Return the shapes of a graph's values by name, those that are known.

    Raises:
        SnapError: one is absurdly large.
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
