"""Merge the layers of attentions, squeeze-and-excitations and L2 normalisations."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import cast

from snap_graphs.networks.draft import Draft, Node
from snap_graphs.networks.layer import Attribute, Kind, Term, term
from snap_graphs.networks.naming import Operator

_PROJECTIONS: frozenset[Kind] = frozenset({"linear", "convolution"})
_BETWEEN: frozenset[Kind] = frozenset(
    {"normalisation", "activation", "add", "multiply", "concatenation", "pass"}
)
"""Layers between an attention's projections and products, such as rotary embeddings."""
_GATES: frozenset[Kind] = frozenset({"activation", "normalisation", *_PROJECTIONS})


def join_attentions(draft: Draft) -> None:
    """Merge every attention with its projections into one node.

    An attention is a fused attention layer, or a matrix product with softmax that weights another
    product. The projections are the linear layers and 1x1 convolutions with the attention as only
    reader, and the only reader of its result.
    """
    for place in list(draft.nodes):
        if place in draft.nodes:
            core = _core(draft, place)
            if core:
                _join_attention(draft, place, core)


def _core(draft: Draft, place: int) -> set[int]:
    """Return the layers of an attention that ends in a node; empty if there is none."""
    node = draft.nodes[place]
    if node.kind == "attention":
        return {place}
    if node.kind != "product":
        return set()
    for weights in dict.fromkeys(node.inputs):
        chain = _scores(draft, weights)
        if chain and draft.only_reader(weights) == place:
            return {place, *chain}
    return set()


def _scores(draft: Draft, place: int) -> list[int]:
    """Return a softmax and the product it is of, with the sums and activations between."""
    before = draft.only_input(place)
    if draft.nodes[place].kind != "softmax" or before is None:
        return []
    chain = _chain(draft, before, lambda n: n.kind == "product", lambda n: n.kind in _BETWEEN)
    return [place, *chain] if chain else []


def _chain(
    draft: Draft, last: int, is_first: Callable[[Node], bool], is_between: Callable[[Node], bool]
) -> list[int]:
    """Return the nodes from `last` back to the next that `is_first`; none if a node interrupts.

    Each node has no reader but the one after it, and but for the first a single input.
    """
    chain: list[int] = []
    place: int | None = last
    while place is not None and draft.only_reader(place) is not None:
        chain.append(place)
        if is_first(draft.nodes[place]):
            return chain
        place = draft.only_input(place) if is_between(draft.nodes[place]) else None
    return []


def _join_attention(draft: Draft, place: int, core: set[int]) -> None:
    heads = _heads(draft, core)
    members = core | _projections(draft, core)
    root, after = place, draft.only_reader(place)
    if after is not None and _projects(draft.nodes[after]) and len(draft.nodes[after].inputs) == 1:
        root = after
    draft.absorb(root, members | {root})
    draft.nodes[root].operator = Operator(Term("attention", heads=heads))


def _heads(draft: Draft, core: Iterable[int]) -> int:
    """Return the number of heads; 0 if the layers do not show it."""
    first = draft.nodes[min(core)].layer
    if first.kind == "attention":
        return term(first).heads
    return first.shape[-3] if len(first.shape) > 2 else 0


def _projections(draft: Draft, core: set[int]) -> set[int]:
    """Return the projections before an attention, with what comes between."""
    found: set[int] = set()
    waiting = [b for place in core for b in draft.nodes[place].inputs if b not in core]
    seen: set[int] = set()
    while waiting:
        waiting.sort()
        place = waiting.pop()  # the last first, so that all its readers have been looked at
        if place in seen:
            continue
        seen.add(place)
        node = draft.nodes[place]
        if not (core | found).issuperset(node.readers):
            continue
        if _projects(node) or node.kind in _BETWEEN:
            found.add(place)
            if not _projects(node):
                waiting += node.inputs
    for place in sorted(found):
        node = draft.nodes[place]
        if not _projects(node) and not found.issuperset(node.inputs):
            found.discard(place)
    for place in sorted(found, reverse=True):  # a reader of them may have been discarded
        if not (core | found).issuperset(draft.nodes[place].readers):
            found.discard(place)
    return found


def _projects(node: Node) -> bool:
    """Return whether a node is a linear layer or a 1x1 convolution."""
    if node.kind == "linear":
        return True
    kernel = node.operator.main.kernel
    return node.kind == "convolution" and {*kernel} <= {1} and not node.operator.main.depthwise


def join_excitations(draft: Draft) -> None:
    """Merge every squeeze-and-excitation into one node.

    It is the product of a feature map and gates: an activation of one or two projections of the
    global average of the map.
    """
    for place in [p for p, node in draft.nodes.items() if node.kind == "multiply"]:
        inputs = draft.nodes[place].inputs
        if len(inputs) == 2:
            for gated, gate in (inputs, inputs[::-1]):
                chain = _gate(draft, gated, gate)
                if chain:
                    operator = Operator(_excitation(draft, chain))
                    draft.absorb(place, chain)
                    draft.nodes[place].operator = operator
                    break


def _gate(draft: Draft, gated: int, gate: int) -> list[int]:
    """Return the layers from a feature map's global average to its gates, last first."""
    chain = _chain(draft, gate, lambda n: n.operator.main.is_global, lambda n: n.kind in _GATES)
    projections = sum(draft.nodes[place].kind in _PROJECTIONS for place in chain)
    return chain if 1 <= projections <= 2 and draft.only_input(chain[-1]) == gated else []


def _excitation(draft: Draft, chain: list[int]) -> Term:
    layers = [draft.nodes[place].layer for place in reversed(chain)]
    projections = [layer for layer in layers if layer.kind in _PROJECTIONS]
    kernel = term(projections[0]).kernel
    reduction = _reduction(projections[0].attributes) if len(projections) == 2 else 0
    return Term("excitation", kernel=() if {*kernel} <= {1} else kernel, reduction=reduction)


def _reduction(known: Mapping[str, Attribute]) -> int:
    """Return a projection's input channels by output channel, rounded; 0 if not known."""
    wide, narrow = (
        cast(int, known.get(f"{side}_channels", known.get(f"{side}_features", 0)))
        for side in ("in", "out")
    )
    return max(1, round(wide / narrow)) if wide and narrow else 0


def join_lengths(draft: Draft) -> None:
    """Merge every division of a value by its own norm into one normalisation."""
    for place in [p for p, node in draft.nodes.items() if _other(node) == "division"]:
        inputs = draft.nodes[place].inputs
        chain = _length(draft, *inputs) if len(inputs) == 2 else []
        if chain:
            node = draft.nodes[place]
            name: dict[str, Attribute] = {"name": "L2 normalisation"}
            node.layer = replace(node.layer, kind="normalisation", attributes=name)
            node.operator = Operator(term(node.layer))
            draft.absorb(place, chain)


def _length(draft: Draft, divided: int, divisor: int) -> list[int]:
    """Return the layers that compute a value's length, last first; none if it is another's."""
    chain = _chain(
        draft,
        divisor,
        lambda n: _other(n) == "linalg_vector_norm",
        lambda n: n.kind == "activation",
    )
    return chain if chain and draft.only_input(chain[-1]) == divided else []


def _other(node: Node) -> str:
    """Return the name of an unknown operation; empty for known ones."""
    return str(node.layer.attributes.get("name", "")) if node.kind == "other" else ""
