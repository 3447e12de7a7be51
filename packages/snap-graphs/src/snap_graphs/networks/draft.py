"""A graph of layers whose nodes can be merged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from snap_graphs.networks.layer import Kind, Layer, term
from snap_graphs.networks.naming import Operator


@dataclass(slots=True)
class Node:
    """A layer, or several merged layers.

    Attributes:
        layer: the layer with the node's output.
        operator: the operator.
        inputs: the input nodes, in order, with repeats.
        readers: the nodes that read it, with repeats.
        params: parameters of all its layers.
        flops: multiply-adds of all its layers.
    """

    layer: Layer
    operator: Operator
    inputs: list[int] = field(default_factory=list)
    readers: list[int] = field(default_factory=list)
    params: int = 0
    flops: int = 0

    @property
    def kind(self) -> Kind:
        """The kind of the layer whose output is the node's."""
        return self.layer.kind


class Draft:
    """The nodes of a network by the position of their output layer.

    Layers that compute nothing from the inputs have no node: a layer that passes its input on
    belongs to its input node, and a layer without inputs to its first reader. The costs of the
    nodes therefore always add up to those of the layers.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.nodes: dict[int, Node] = {}
        fixed = _fixed(layers)
        source: list[int] = []
        """By layer: the node that carries its output."""
        for place, layer in enumerate(layers):
            inputs = [source[i] for i in layer.inputs if i not in fixed]
            source.append(inputs[0] if _hands_on(layer, inputs) else place)
            if place not in fixed and source[place] == place:
                self.nodes[place] = Node(layer, Operator(term(layer)), inputs)
        for place, node in self.nodes.items():
            for before in node.inputs:
                self.nodes[before].readers.append(place)
        owner = _owners(layers, fixed)
        for place, layer in enumerate(layers):
            node = self.nodes[source[owner[place]]]
            node.params += layer.params
            node.flops += layer.flops

    def absorb(self, root: int, members: Iterable[int]) -> None:
        """Merge nodes into one, which reads the inputs of all, each once.

        Args:
            root: the node with the output.
            members: the other nodes; they have no readers outside.
        """
        gone = {*members} - {root}
        inputs: dict[int, None] = {}
        for place in sorted((*gone, root)):
            node = self.nodes[place]
            for before in node.inputs:
                if before not in gone:
                    inputs[before] = None
                    self.nodes[before].readers.remove(place)
            if place != root:
                self.nodes[root].params += node.params
                self.nodes[root].flops += node.flops
                del self.nodes[place]
        self.nodes[root].inputs = list(inputs)
        for before in inputs:
            self.nodes[before].readers.append(root)

    def dissolve(self, place: int) -> None:
        """Merge a node into its only reader."""
        node = self.nodes.pop(place)
        reader = self.nodes[node.readers[0]]
        at = reader.inputs.index(place)
        reader.inputs[at : at + 1] = node.inputs
        for before in node.inputs:
            readers = self.nodes[before].readers
            readers[readers.index(place)] = node.readers[0]
        reader.params += node.params
        reader.flops += node.flops

    def only_reader(self, place: int) -> int | None:
        """Return the only reader of a node, or None."""
        readers = self.nodes[place].readers
        return readers[0] if len(readers) == 1 else None

    def only_input(self, place: int) -> int | None:
        """Return the only input of a node, or None."""
        inputs = self.nodes[place].inputs
        return inputs[0] if len(inputs) == 1 else None


def _hands_on(layer: Layer, inputs: Sequence[int]) -> bool:
    """Return whether a layer passes one input on, rearranged or changed by its own parameters.

    Concatenated parts of one value count as rearranged, as in rolling an image.
    """
    if layer.kind in ("pass", "concatenation"):
        return len({*inputs}) == 1
    return layer.kind in ("add", "multiply") and len(inputs) == 1


def _fixed(layers: Sequence[Layer]) -> set[int]:
    """Return the layers that depend on no input."""
    fixed: set[int] = set()
    for place, layer in enumerate(layers):
        if layer.kind not in ("input", "output") and fixed.issuperset(layer.inputs):
            fixed.add(place)
    return fixed


def _owners(layers: Sequence[Layer], fixed: set[int]) -> list[int]:
    """Return the layer that owns the costs of each layer; fixed layers belong to a reader."""
    owner = list(range(len(layers)))
    reader = dict.fromkeys(fixed, len(layers) - 1)
    for place in reversed(range(len(layers))):
        for before in fixed.intersection(layers[place].inputs):
            reader[before] = place
    for place in sorted(fixed, reverse=True):
        owner[place] = owner[reader[place]]
    return owner
