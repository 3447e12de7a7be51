"""Determine the shapes of a network's inputs, including open dimensions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

from snap_graphs.formats.onnx.graph import Constant, Shape, sized

if TYPE_CHECKING:
    from onnx import GraphProto


def close_inputs(
    graph: "GraphProto", constants: Mapping[str, Constant], given: Sequence[Shape]
) -> int:
    """Give every input a shape, with a batch of one where that is open; return the batch.

    Args:
        graph: the graph, which is changed.
        constants: tensors that it holds; older models list them among the inputs.
        given: shapes of the inputs, in order and without the batch; none if the model has all.

    Raises:
        SnapError: a dimension stays open, or is not the one given.
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
