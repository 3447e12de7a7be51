"""Assemble the layers of a network into the operators of a graph."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from snap_catalog import SnapError

from snap_graphs.networks.draft import Draft, Node
from snap_graphs.networks.layer import BEFORE_OR_AFTER, Layer, Term
from snap_graphs.networks.naming import Operator, described
from snap_graphs.networks.patterns import join_attentions, join_excitations, join_lengths

_IDENTITY = Operator(Term("identity"))
_SQUARE = Operator(Term("activation", "square"))
_TAKES_BEFORE: frozenset[str] = frozenset({"convolution", "linear", "attention"})
"""Operators that absorb a preceding normalisation or activation."""
_TAKES_AFTER: frozenset[str] = _TAKES_BEFORE | {"normalisation"}
"""Operators that absorb a following normalisation or activation."""


@dataclass(frozen=True)
class Network:
    """A complete network as a graph of operators.

    Attributes:
        nodes: names in topological order: one `input` per network input, then operators, one
            `output`.
        edges: (source, target) nodes, sorted, each pair once.
        shapes: shape of every node's output, without the batch dimension.
        params: trainable elements of every node.
        flops: multiply-adds of every node for one input.
        activations: elements that convolutions, linear layers and attention products put out for
            one input.
        descriptions: descriptions of operators by name, without input and output.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    shapes: tuple[tuple[int, ...], ...]
    params: tuple[int, ...]
    flops: tuple[int, ...]
    activations: int
    descriptions: dict[str, str]


class _Placed(NamedTuple):
    """A node of the graph, and the positions of its inputs."""

    operator: Operator
    inputs: list[int]
    shape: tuple[int, ...]
    params: int = 0
    flops: int = 0


def assembled(layers: Sequence[Layer]) -> Network:
    """Assemble layers into operators.

    A convolution or linear layer absorbs the normalisation and activation after or before it; an
    attention absorbs its projections. Layers that compute nothing are removed. A sum is removed if
    a single operator reads it, as operators sum their inputs. A sum with several readers, or a
    reader that does not sum, becomes an identity. A value that is summed twice gets an identity.

    Args:
        layers: the layers in topological order; inputs first, one output last.

    Returns:
        The graph; its nodes' parameters and multiply-adds add up to those of the layers.

    Raises:
        SnapError: the layers are not in that order, or there is no input or not one output.
    """
    _check(layers)
    draft = Draft(layers)
    join_excitations(draft)
    join_lengths(draft)
    join_attentions(draft)
    _name_squares(draft)
    _merge_sums(draft)
    _join_followers(draft)
    _join_predecessors(draft)
    placed = list(_placed(draft))
    return Network(
        nodes=tuple(node.operator.name for node in placed),
        edges=tuple(sorted((s, d) for d, node in enumerate(placed) for s in node.inputs)),
        shapes=tuple(node.shape for node in placed),
        params=tuple(node.params for node in placed),
        flops=tuple(node.flops for node in placed),
        activations=sum(layer.activations for layer in layers),
        descriptions=described(node.operator for node in placed),
    )


def _check(layers: Sequence[Layer]) -> None:
    kinds = [layer.kind for layer in layers]
    first = kinds.count("input")
    if not first or set(kinds[:first]) != {"input"}:
        raise SnapError("a network's layers must begin with its inputs, and there must be one")
    if kinds.count("output") != 1 or kinds[-1] != "output":
        raise SnapError("a network's layers must end with one output")
    for place, layer in enumerate(layers):
        wrong = [source for source in layer.inputs if not 0 <= source < place]
        if wrong or (layer.kind == "input" and layer.inputs):
            raise SnapError(f"layer {place} ({layer.kind}) reads {layer.inputs}, not layers before")


def _name_squares(draft: Draft) -> None:
    """Turn products of a value with itself into activations."""
    for place, node in draft.nodes.items():
        read = node.layer.inputs
        if node.kind == "multiply" and len(read) == 2 and len({*read}) == 1:
            draft.nodes[node.inputs[0]].readers.remove(place)
            node.inputs.pop()
            node.operator = _SQUARE


def _merge_sums(draft: Draft) -> None:
    for place in [p for p, node in draft.nodes.items() if node.kind == "add"]:
        reader = draft.only_reader(place)
        if reader is not None and _sums(draft.nodes[reader]):
            draft.dissolve(place)


def _sums(node: Node) -> bool:
    """Return whether a node sums its inputs."""
    return node.kind == "add" or (len(node.inputs) == 1 and node.kind != "concatenation")


def _join_followers(draft: Draft) -> None:
    """Merge normalisations and activations into the operators before them."""
    for place in list(draft.nodes):
        node = draft.nodes.get(place)
        if node is None or node.operator.main.kind not in BEFORE_OR_AFTER:
            continue
        before = draft.only_input(place)
        if before is None or draft.only_reader(before) is None:
            continue
        operator = draft.nodes[before].operator
        kinds = {term.kind for term in (operator.main, *operator.after)}
        if operator.main.kind in _TAKES_AFTER and node.operator.main.kind not in kinds:
            joined = replace(operator, after=(*operator.after, node.operator.main))
            draft.dissolve(before)
            node.operator = joined


def _join_predecessors(draft: Draft) -> None:
    """Merge normalisations and activations into the operators after them."""
    for place, node in list(draft.nodes.items()):
        before = draft.only_input(place)
        while (
            node.operator.main.kind in _TAKES_BEFORE
            and before is not None
            and draft.nodes[before].operator.main.kind in BEFORE_OR_AFTER
            and draft.only_reader(before) is not None
        ):
            first = draft.nodes[before].operator
            terms = (first.main, *first.after, *node.operator.before)
            node.operator = replace(node.operator, before=terms)
            draft.dissolve(before)
            before = draft.only_input(place)


def _placed(draft: Draft) -> Iterator[_Placed]:
    """Yield the nodes in order, with identities for values that a node reads twice."""
    position: dict[int, int] = {}
    count = 0
    for place, node in sorted(draft.nodes.items()):
        inputs: dict[int, None] = {}
        for before in node.inputs:
            source = position[before]
            if source in inputs:
                yield _Placed(_IDENTITY, [source], draft.nodes[before].layer.shape)
                source, count = count, count + 1
            inputs[source] = None
        yield _Placed(node.operator, list(inputs), node.layer.shape, node.params, node.flops)
        position[place], count = count, count + 1
