"""Extract the structure of an ONNX file without its weights.

The numbers are those of the fields in `onnx.proto`. Nothing is decoded here but lengths, so that a
file of many gigabytes costs no more memory than its outline.
"""

from collections.abc import Iterator

from snap_catalog import SnapError

from snap_graphs.formats.protobuf import Buffer, nested, spans

MOST_BYTES = 1 << 25
"""Bytes that an outline may have."""
MOST_FIELDS = 5_000_000
MOST_NODES = 100_000
_SMALL = 1 << 10
"""Bytes of a tensor that is kept with its values: shapes, axes, bounds."""

_MODEL_KEPT = frozenset({1, 8})
"""ir_version, opset_import."""
_GRAPH, _FUNCTIONS = 7, 25
_NODE, _INITIALIZER, _SPARSE, _GRAPH_METADATA = 1, 5, 15, 16
_GRAPH_KEPT = frozenset({2, 11, 12, 13})
"""name, input, output, value_info."""
_NODE_KEPT = frozenset({1, 2, 3, 4, 7})
"""input, output, name, op_type, domain."""
_ATTRIBUTE = 5
_ATTRIBUTE_KEPT = frozenset({1, 2, 3, 4, 7, 8, 9, 20})
"""name, f, i, s, floats, ints, strings, type."""
_TENSOR, _NESTED_GRAPHS = 5, frozenset({6, 11})
_TENSOR_KEPT = frozenset({1, 2, 8})
"""dims, data_type, name."""
_TENSOR_DATA = frozenset({4, 5, 7, 9, 10, 11})
"""float_data, int32_data, int64_data, raw_data, double_data, uint64_data."""


def outline(message: Buffer) -> bytes:
    """Return a model without the values of large tensors, texts for people and metadata.

    Where tensors lie in other files, those stay unopened.

    Args:
        message: the file.

    Raises:
        SnapError: the model is too large even so, or has functions, nested or sparse parts.
        ValueError: the bytes are no model.
    """
    return _Outline(message).model()


class _Outline:
    """Copies what is kept, counting fields, nodes and bytes."""

    def __init__(self, message: Buffer) -> None:
        self._message = message
        self._fields = self._nodes = self._bytes = 0

    def model(self) -> bytes:
        parts, graphs = [], 0
        for number, first, content, end in self._spans(0, len(self._message)):
            if number in _MODEL_KEPT:
                parts.append(self._copy(first, end))
            elif number == _GRAPH:
                graphs += 1
                parts.append(nested(_GRAPH, self._graph(content, end)))
            elif number == _FUNCTIONS:
                raise SnapError("it has functions of its own; inline them (onnx.inliner) first")
        if graphs != 1:
            raise ValueError("it is no ONNX model" if not graphs else "it holds two graphs")
        return b"".join(parts)

    def _graph(self, at: int, stop: int) -> bytes:
        parts = []
        for number, first, content, end in self._spans(at, stop):
            if number in _GRAPH_KEPT or number == _GRAPH_METADATA:
                parts.append(self._copy(first, end))
            elif number == _NODE:
                parts.append(nested(_NODE, self._node(content, end)))
            elif number == _INITIALIZER:
                parts.append(nested(_INITIALIZER, self._tensor(content, end)))
            elif number == _SPARSE:
                raise SnapError("it has sparse tensors; write them densely")
        return b"".join(parts)

    def _node(self, at: int, stop: int) -> bytes:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise SnapError(f"it has more than {MOST_NODES:,} nodes, refused")
        parts = []
        for number, first, content, end in self._spans(at, stop):
            if number in _NODE_KEPT:
                parts.append(self._copy(first, end))
            elif number == _ATTRIBUTE:
                parts.append(nested(_ATTRIBUTE, self._attribute(content, end)))
        return b"".join(parts)

    def _attribute(self, at: int, stop: int) -> bytes:
        parts = []
        for number, first, content, end in self._spans(at, stop):
            if number in _ATTRIBUTE_KEPT:
                parts.append(self._copy(first, end))
            elif number == _TENSOR:
                parts.append(nested(_TENSOR, self._tensor(content, end)))
            elif number in _NESTED_GRAPHS:
                raise SnapError(
                    "a node holds a graph of its own (If, Loop, Scan), so that the "
                    "cost is unknown; export the network without control flow"
                )
        return b"".join(parts)

    def _tensor(self, at: int, stop: int) -> bytes:
        kept = _TENSOR_KEPT | (_TENSOR_DATA if stop - at <= _SMALL else frozenset())
        parts = [
            self._copy(first, end)
            for number, first, _, end in self._spans(at, stop)
            if number in kept
        ]
        return b"".join(parts)

    def _spans(self, at: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
        for span in spans(self._message, at, stop):
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise SnapError(f"it has more than {MOST_FIELDS:,} fields, refused")
            yield span

    def _copy(self, first: int, end: int) -> bytes:
        self._bytes += end - first
        if self._bytes > MOST_BYTES:
            raise SnapError(f"it has more than {MOST_BYTES >> 20} MiB besides its weights; refused")
        return self._message[first:end]
