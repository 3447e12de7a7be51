"""A network's layers as a graph whose nodes can be put together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from snap_graphs.networks.layer import Kind, Layer
from snap_graphs.networks.naming import Operator
from snap_graphs.networks.terms import term


@dataclass(slots=True)
class Node:
    """A layer, or several put together.

    Attributes:
        layer: the one whose output is the node's.
        operator: what they compute.
        inputs: the nodes read, in order; one that is read twice comes twice.
        readers: the nodes that read it, likewise.
        params: of all its layers.
        flops: of all its layers.
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
    """The nodes of a network by the position of the layer whose output they have.

    Layers that compute nothing of the inputs are no nodes: one that hands its input on belongs to
    the node it reads, and one that reads no input to its first reader. So the nodes' costs always
    add up to those of the layers.
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
        """Put nodes together into one, which reads what they read of others, each once.

        Args:
            root: the node whose output is that of the whole.
            members: the others; nothing outside reads them.
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
        """Make a node part of the only one that reads it, which reads its inputs instead."""
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
        """Return the node that alone reads another, once."""
        readers = self.nodes[place].readers
        return readers[0] if len(readers) == 1 else None

    def only_input(self, place: int) -> int | None:
        """Return the node that another reads alone, once."""
        inputs = self.nodes[place].inputs
        return inputs[0] if len(inputs) == 1 else None


def _hands_on(layer: Layer, inputs: Sequence[int]) -> bool:
    """Return whether a layer hands one input on: rearranged, or changed by what it owns at most.

    Parts of one value that come together again are rearranged, as where an image is rolled.
    """
    if layer.kind in ("pass", "concatenation"):
        return len({*inputs}) == 1
    return layer.kind in ("add", "multiply") and len(inputs) == 1


def _fixed(layers: Sequence[Layer]) -> set[int]:
    """Return the layers whose output depends on no input."""
    fixed: set[int] = set()
    for place, layer in enumerate(layers):
        if layer.kind not in ("input", "output") and fixed.issuperset(layer.inputs):
            fixed.add(place)
    return fixed


def _owners(layers: Sequence[Layer], fixed: set[int]) -> list[int]:
    """Return, by layer, the one that its costs count at: the first reader of what is fixed."""
    owner = list(range(len(layers)))
    reader = dict.fromkeys(fixed, len(layers) - 1)
    for place in reversed(range(len(layers))):
        for before in fixed.intersection(layers[place].inputs):
            reader[before] = place
    for place in sorted(fixed, reverse=True):
        owner[place] = owner[reader[place]]
    return owner
