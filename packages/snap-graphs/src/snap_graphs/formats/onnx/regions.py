"""Find activations and normalisations that were exported as several elementwise nodes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from snap_graphs.formats.onnx.graph import Node, OnnxGraph
from snap_graphs.networks import Kind

_LARGEST = 16
_ROOTS = frozenset({"Mul", "Div", "Sub"})
_SILENT = frozenset({"Cast", "Expand", "Identity"})
_LIGHT = _SILENT | {
    "Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "Reciprocal", "Sigmoid", "HardSigmoid", "Tanh",
    "Erf", "Exp", "Log", "Softplus", "Clip", "Relu", "ReduceMean", "Abs",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Region:
    """Nodes that form one layer with a single input.

    Attributes:
        members: positions of the nodes in the graph.
        source: the value that the layer reads.
        kind: kind of the layer.
        name: name of the activation or normalisation.
    """

    members: frozenset[int]
    source: str
    kind: Kind
    name: str


def regions(graph: OnnxGraph, computed: Collection[str]) -> dict[int, Region]:
    """Find the regions of a graph, by the position of their last node.

    Args:
        graph: the graph.
        computed: the values that depend on the network's inputs.
    """
    return dict(_Finder(graph, computed).found())


class _Finder:
    def __init__(self, graph: OnnxGraph, computed: Collection[str]) -> None:
        self._nodes, self._computed = graph.nodes, computed
        self._producer = {v: i for i, node in enumerate(graph.nodes) for v in node.outputs if v}
        self._readers: dict[str, set[int]] = {v: {len(graph.nodes)} for v in graph.outputs}
        for place, node in enumerate(graph.nodes):
            for value in node.operands:
                self._readers.setdefault(value, set()).add(place)

    def found(self) -> Iterator[tuple[int, Region]]:
        """Yield the positions of last nodes, ascending, and their disjoint regions."""
        centred: dict[str, tuple[frozenset[int], str]] = {}
        for root, node in enumerate(self._nodes):
            if node.op not in _ROOTS or node.outputs[0] not in self._computed:
                continue
            grown = self._grown(root)
            if grown is None:
                continue
            members, source = grown
            if node.op == "Sub":
                if self._ops(members) == {"Sub", "ReduceMean"}:
                    centred[node.outputs[0]] = grown
                continue
            name = _name(self._ops(members))
            if name == "RMS normalisation" and source in centred:
                before, first = centred[source]
                if self._readers[source] <= members:
                    members, source, name = members | before, first, "layer normalisation"
            if name:
                kind: Kind = "normalisation" if "normalisation" in name else "activation"
                yield root, Region(members, source, kind, name)

    def _grown(self, root: int) -> tuple[frozenset[int], str] | None:
        """Return the nodes from a single source value to a node, and the source; None if none."""
        members, frontier = {root}, self._reads(self._nodes[root])
        if len(frontier) < 2:
            return None
        while len(frontier) > 1 and len(members) < _LARGEST:
            value = max(frontier, key=lambda name: self._producer.get(name, -1))
            place = self._producer.get(value, -1)
            if place < 0 or self._nodes[place].op not in _LIGHT:
                return None
            if not self._readers[value] <= members:
                return None
            members.add(place)
            frontier = (frontier - {value}) | self._reads(self._nodes[place])
        return (frozenset(members), frontier.pop()) if len(frontier) == 1 else None

    def _reads(self, node: Node) -> set[str]:
        return {value for value in node.operands if value in self._computed}

    def _ops(self, members: frozenset[int]) -> set[str]:
        return {self._nodes[place].op for place in members} - _SILENT


_GATES: Mapping[str, str] = {"Sigmoid": "SiLU", "HardSigmoid": "hard-swish"}


def _name(ops: set[str]) -> str:
    """Return the name of the function that these operators compute; empty if unknown."""
    if len(ops) == 2 and "Mul" in ops and (gate := (ops - {"Mul"}).pop()) in _GATES:
        return _GATES[gate]
    if "Erf" in ops:
        return "GELU"
    if "Tanh" in ops:
        return "Mish" if ops & {"Softplus", "Log"} else "GELU"
    if "Clip" in ops and "Add" in ops:
        return "hard-swish"
    if "ReduceMean" in ops and "Sqrt" in ops:
        return "RMS normalisation"
    return ""
