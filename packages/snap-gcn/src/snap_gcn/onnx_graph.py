"""The parts of a predictor as nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from snap_gcn.inference import Member, folded, heads
from snap_gcn.paths import SHARPNESS, PathModel, unit

if TYPE_CHECKING:
    import onnx

_FLOAT = 1
"""ONNX's number of the type."""


class Builder:
    """Collects the nodes and constants of a graph."""

    def __init__(self, scope: str = "") -> None:
        self._scope = scope
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def __call__(self, kind: str, *arguments: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        from onnx import helper

        name = f"{self._scope}{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(arguments), [name], **attributes))
        return name

    def constant(self, values: npt.NDArray[Any], name: str | None = None) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        name = name or f"{self._scope}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def number(self, value: float) -> str:
        """Add a constant number; return its name."""
        return self.constant(np.array(value, np.float32))

    def axes(self, *axes: int) -> str:
        """Add a constant of axes or indices."""
        return self.constant(np.array(axes, np.int64))


class Mixing:
    """Multiplies by D^-1/2 (A + I) D^-1/2, A symmetric and without loops."""

    def __init__(self, add: Builder, adjacency: str) -> None:
        self._add = add
        turned = add("Transpose", adjacency, perm=[0, 2, 1])
        self._edges = add("Cast", add("Or", adjacency, turned), to=_FLOAT)
        neighbours = add("ReduceSum", self._edges, add.axes(2), keepdims=1)
        degree = add("Add", neighbours, add.constant(np.array(1, np.float32)))
        self._scale = add("Reciprocal", add("Sqrt", degree))

    def __call__(self, x: str) -> str:
        """Add the product with (b, n, channels) `x`; return its name."""
        scaled = self._add("Mul", self._scale, x)
        mixed = self._add("Add", self._add("MatMul", self._edges, scaled), scaled)
        return self._add("Mul", self._scale, mixed)


def member_scores(add: Builder, member: Member, op: str, mix: Mixing) -> str:
    """Add a network; return its (b,) scores."""
    (product, shift), *layers = folded(member.weights)
    table = add("MatMul", "vectors", add.constant(product.numpy()))
    mixed = add("Add", mix(add("Gather", table, op, axis=0)), add.constant(shift.numpy()))
    x = add("Relu", mixed)
    for product, shift in layers:
        mixed = add("MatMul", mix(x), add.constant(product.numpy()))
        x = add("Relu", add("Add", mixed, add.constant(shift.numpy())))
    score = add.constant(member.weights["head.bias"].numpy())
    for name, head in heads(member).items():
        if name == "sum":
            read = add("ReduceSum", x, add.axes(1), keepdims=0)
        else:
            read = add("Squeeze", add("Gather", x, add.axes(-1), axis=1), add.axes(1))
        score = add("Add", score, add("MatMul", read, add.constant(head.numpy())))
    return score


def path_scores(add: Builder, model: PathModel, op: str, adjacency: str) -> str:
    """Add a `PathModel`; return its (b,) scores."""
    paths = _Paths(add, op, adjacency)
    spatial, pointwise = paths.kind(model, 0), paths.kind(model, 1)
    convolutions = add("Add", spatial, pointwise)
    found = [
        add("ReduceSum", pointwise, add.axes(1), keepdims=0),
        paths.along(paths.inner, _most),
        paths.logarithm(paths.along(convolutions, _most)),
        paths.logarithm(paths.along(spatial, _mean)),
        paths.along(convolutions, _fewest),
    ]
    weighted = [
        add("Mul", statistic, add.number(weight))
        for statistic, weight in zip(found, model.weights.tolist(), strict=True)
    ]
    return add("Add", add("Sum", *weighted), add.number(model.bias))


class _Paths:
    """Adds values up along the paths of graphs, as `snap_gcn.paths` does.

    Attributes:
        inner: name of (b, n) one where a node is an operator, nought at inputs and outputs.
    """

    def __init__(self, add: Builder, op: str, adjacency: str) -> None:
        self._add, self._op, self._adjacency = add, op, adjacency
        self._size = add("Gather", add("Shape", op), add.constant(np.array(1)), axis=0)
        edges = add("Cast", adjacency, to=_FLOAT)
        self._before = add("ReduceSum", edges, add.axes(1), keepdims=0)
        self._reached = add("Greater", self._before, add.number(0))
        zero, one = (add.constant(np.array(value)) for value in (0, 1))
        numbers = add("Range", zero, self._size, one)
        not_last = add("Less", numbers, add("Sub", self._size, one))
        self.inner = add("Cast", add("And", self._reached, not_last), to=_FLOAT)

    def kind(self, model: PathModel, number: int) -> str:
        """Return (b, n) how much the operators are of a kind."""
        add = self._add
        lengths = add("ReduceL2", "vectors", axes=[1], keepdims=1)
        directions = add("Div", "vectors", add("Max", lengths, add.number(1e-12)))
        examples = add.constant((SHARPNESS * unit(model.examples).T).astype(np.float32))
        shares = add("Softmax", add("MatMul", directions, examples), axis=1)
        share = add("Gather", shares, add.constant(np.array(number)), axis=1)
        return add("Mul", add("Gather", share, self._op, axis=0), self.inner)

    def logarithm(self, values: str) -> str:
        """Return the logarithm of one plus (b,) values."""
        return self._add("Log", self._add("Add", values, self._add.number(1)))

    def along(self, values: str, combine: Callable[[Builder, str, str, str], str]) -> str:
        """Add (b, n) values up along the paths to the last node.

        As often as there are nodes, each takes its own value and what its predecessors have.
        """
        from onnx import TensorProto, helper

        add, body = self._add, Builder(f"loop_{len(self._add.nodes)}/")
        totals = body("Unsqueeze", "totals", body.axes(2))
        combined = combine(body, totals, self._adjacency, self._before)
        reached = body("Where", self._reached, combined, body.number(0))
        body("Add", values, reached)
        body("Identity", "going")
        shape = ["b", "n"]
        graph = helper.make_graph(
            body.nodes,
            "along",
            [
                helper.make_tensor_value_info("round", TensorProto.INT64, []),
                helper.make_tensor_value_info("going", TensorProto.BOOL, []),
                helper.make_tensor_value_info("totals", TensorProto.FLOAT, shape),
            ],
            [
                helper.make_tensor_value_info(body.nodes[-1].output[0], TensorProto.BOOL, []),
                helper.make_tensor_value_info(body.nodes[-2].output[0], TensorProto.FLOAT, shape),
            ],
            body.constants,
        )
        added = add("Loop", self._size, add.constant(np.array(True)), values, body=graph)
        return add("Squeeze", add("Gather", added, add.axes(-1), axis=1), add.axes(1))


def _most(add: Builder, totals: str, adjacency: str, _before: str) -> str:
    chosen = add("Where", adjacency, totals, add.number(-np.inf))
    return add("ReduceMax", chosen, axes=[1], keepdims=0)


def _fewest(add: Builder, totals: str, adjacency: str, _before: str) -> str:
    chosen = add("Where", adjacency, totals, add.number(np.inf))
    return add("ReduceMin", chosen, axes=[1], keepdims=0)


def _mean(add: Builder, totals: str, adjacency: str, before: str) -> str:
    chosen = add("Where", adjacency, totals, add.number(0))
    return add("Div", add("ReduceSum", chosen, add.axes(1), keepdims=0), before)
