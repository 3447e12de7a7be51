"""Extract the structure of an ONNX file without its weights.

Only lengths are decoded, so that a file of many gigabytes takes no more memory than its outline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from snap_catalog import SnapError

from snap_graphs.formats.protobuf import Buffer, nested, spans

MOST_BYTES = 1 << 25
"""Maximum size of an outline in bytes."""
MOST_FIELDS = 5_000_000
MOST_NODES = 100_000
_SMALL = 1 << 10
"""Maximum size in bytes of a tensor whose values are kept: shapes, axes, bounds."""


@dataclass(frozen=True)
class _Message:
    """The fields of a message in `onnx.proto`, by number; unlisted ones are dropped.

    Attributes:
        kept: fields to copy.
        parts: fields that are messages.
        refused: fields that make a model unreadable, with the reason.
        values: fields to copy only if the message is small.
    """

    kept: frozenset[int]
    parts: Mapping[int, "_Message"] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)
    values: frozenset[int] = frozenset()


_TENSOR = _Message(
    kept=frozenset({1, 2, 8}),  # dims, data_type, name
    values=frozenset({4, 5, 7, 9, 10, 11}),  # float, int32, int64, raw, double, uint64
)
_HAS_GRAPH = (
    "a node holds a graph of its own (If, Loop, Scan), so that the cost is unknown; export the "
    "network without control flow"
)
_ATTRIBUTE = _Message(
    kept=frozenset({1, 2, 3, 4, 7, 8, 9, 20}),  # name, f, i, s, floats, ints, strings, type
    parts={5: _TENSOR},
    refused={6: _HAS_GRAPH, 11: _HAS_GRAPH},
)
_NODE = _Message(
    kept=frozenset({1, 2, 3, 4, 7}),  # input, output, name, op_type, domain
    parts={5: _ATTRIBUTE},
)
_GRAPH = _Message(
    kept=frozenset({2, 11, 12, 13, 16}),  # name, input, output, value_info, metadata_props
    parts={1: _NODE, 5: _TENSOR},
    refused={15: "it has sparse tensors; write them densely"},
)
_MODEL = _Message(
    kept=frozenset({1, 8}),  # ir_version, opset_import
    parts={7: _GRAPH},
    refused={25: "it has functions of its own; inline them (onnx.inliner) first"},
)


def outline(message: Buffer) -> bytes:
    """Copy a model without the values of large tensors, documentation and metadata.

    Files of external data are not opened.

    Args:
        message: the content of the file.

    Raises:
        SnapError: the outline is too large, or the model has functions, nested graphs or sparse
            tensors.
        ValueError: the bytes are not a model.
    """
    copy = _Copy(message)
    outlined = copy.message(_MODEL, 0, len(message))
    if copy.graphs != 1:
        raise ValueError("it holds two graphs" if copy.graphs else "it is no ONNX model")
    return outlined


class _Copy:
    """Copies messages; counts graphs, nodes, fields and bytes."""

    def __init__(self, source: Buffer) -> None:
        self._source = source
        self.graphs = self._nodes = self._fields = self._bytes = 0

    def message(self, kind: _Message, at: int, stop: int) -> bytes:
        """Copy the message between two positions.

        Raises:
            SnapError: it has a refused field, or too many nodes, fields or bytes.
            ValueError: it is damaged.
        """
        self.graphs += kind is _GRAPH
        self._nodes += kind is _NODE
        if self._nodes > MOST_NODES:
            raise SnapError(f"it has more than {MOST_NODES:,} nodes, refused")
        kept = kind.kept | kind.values if stop - at <= _SMALL else kind.kept
        parts = []
        for number, first, content, end in spans(self._source, at, stop):
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise SnapError(f"it has more than {MOST_FIELDS:,} fields, refused")
            if number in kind.refused:
                raise SnapError(kind.refused[number])
            if number in kind.parts:
                parts.append(nested(number, self.message(kind.parts[number], content, end)))
            elif number in kept:
                parts.append(self._bytes_of(first, end))
        return b"".join(parts)

    def _bytes_of(self, first: int, end: int) -> bytes:
        self._bytes += end - first
        if self._bytes > MOST_BYTES:
            raise SnapError(f"it has more than {MOST_BYTES >> 20} MiB besides its weights; refused")
        return self._source[first:end]
