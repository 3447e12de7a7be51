"""Find inverted residuals in networks.

An inverted residual (Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks")
is a pointwise convolution that widens, unless the expansion is 1, a depthwise convolution, maybe a
squeeze-and-excitation (Tan et al. 2019, "MnasNet"), and a pointwise convolution without activation,
maybe with a residual connection around them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from snap_graphs.arrays import Graphs
from snap_graphs.networks.layer import Term, Whole
from snap_graphs.networks.naming import ACTIVATIONS, IDENTITY, NORMALISATIONS, Operator

_SIDES = "[0-9]{1,4}(?:x[0-9]{1,4}){0,2}"
_NORMALISATION = "|".join(NORMALISATIONS.values())
_ACTIVATION = "|".join(ACTIVATIONS.values())
_CONVOLUTION = re.compile(
    rf"(dw)?conv({_SIDES})(?:-s({_SIDES}))?(?:-d({_SIDES}))?-({_NORMALISATION})(?:-({_ACTIVATION}))?"
)
_EXCITATION = re.compile(rf"se(?:-r([0-9]{{1,6}}))?(?:-k({_SIDES}))?")
_SUMS = re.compile(
    rf"(?:dw)?t?conv{_SIDES}|linear|global|(?:max|avg)pool.*|{IDENTITY}|{_NORMALISATION}|{_ACTIVATION}"
)
"""Beginnings of the names of operators that sum their inputs."""
_LONG = {short: long for names in (NORMALISATIONS, ACTIVATIONS) for long, short in names.items()}


@dataclass(frozen=True, slots=True)
class _Convolution:
    """A normalised ordinary or depthwise convolution."""

    depthwise: bool
    kernel: Whole
    stride: Whole
    dilation: Whole
    normalisation: str
    activation: str

    @property
    def pointwise(self) -> bool:
        return {*self.kernel} == {1} and not (self.depthwise or self.stride or self.dilation)


def has_blocks(graphs: Graphs) -> bool:
    """Return whether the operators of graphs allow blocks."""
    found = [layer for layer in map(_read, graphs.vocabulary) if isinstance(layer, _Convolution)]
    return any(c.depthwise for c in found) and any(_projects(c) for c in found)


class Blocks:
    """The blocks of graphs, found in time linear in nodes and edges.

    Attributes:
        last: (nodes,) the last node of each node's block, or the node itself.
        residual: (edges,) true for residual connections around blocks.
        operators: the operator of each block, by its last node.
    """

    def __init__(self, graphs: Graphs, shapes: Sequence[Sequence[int] | None]) -> None:
        """Find the blocks.

        Args:
            graphs: graphs whose operators have the names of `snap_graphs.networks.naming`.
            shapes: (nodes,) output shapes without the batch; None if unknown.
        """
        self.last = np.arange(len(graphs.op))
        self.residual = np.zeros(len(graphs.src), np.bool_)
        self.operators: dict[int, Operator] = {}
        self._shapes, self._names, self._op = shapes, graphs.vocabulary, graphs.op
        self._layers = [_read(name) for name in graphs.vocabulary]
        _, self._source, self._target = graphs.edges()
        projects = np.array([_projects(layer) for layer in self._layers], np.bool_)
        for place in np.flatnonzero(projects[graphs.op]).tolist():
            self._join(place)

    @cached_property
    def _into(self) -> list[list[int]]:
        """By node: its incoming edges, sorted by source."""
        order = np.argsort(self._target, kind="stable")
        ends = np.cumsum(np.bincount(self._target, minlength=len(self._op)))[:-1]
        return [part.tolist() for part in np.split(order, ends)]

    @cached_property
    def _reader(self) -> list[int]:
        """By node: its only reader; -1 if there is none or several."""
        found = np.full(len(self._op), -1)
        found[self._source] = self._target
        found[np.bincount(self._source, minlength=len(self._op)) > 1] = -1
        return found.tolist()

    def _layer(self, place: int) -> _Convolution | Term | None:
        return self._layers[self._op[place]] if place >= 0 else None

    def _before(self, place: int) -> int:
        """Return the only input of a node, if the node is its only reader; else -1."""
        if len(self._into[place]) != 1:
            return -1
        source = int(self._source[self._into[place][0]])
        return source if self._reader[source] == place else -1

    def _join(self, projection: int) -> None:
        """Record the block that ends in a projection, if there is one."""
        chain = self._chain(projection)
        if chain is None:
            return
        last, (nodes, operator) = projection, chain
        around = self._around(nodes[0], projection)
        if around is not None:
            self.residual[around] = True
            reader = self._reader[projection]
            if self._names[self._op[reader]] == IDENTITY and len(self._into[reader]) == 2:
                last = reader
            operator = replace(operator, after=(*operator.after, Term("identity")))
        self.last[[*nodes, last]] = last
        self.operators[last] = operator

    def _chain(self, projection: int) -> tuple[list[int], Operator] | None:
        """Return the nodes and the operator of the block that ends in a projection, or None."""
        nodes = [projection]
        excitation = self._layer(self._before(projection))
        if isinstance(excitation, Term):
            nodes.insert(0, self._before(projection))
        after = (excitation,) if isinstance(excitation, Term) else ()
        nodes.insert(0, self._before(nodes[0]))
        depthwise, end = self._layer(nodes[0]), self._layer(projection)
        if not isinstance(depthwise, _Convolution) or not isinstance(end, _Convolution):
            return None
        is_filter = depthwise.depthwise and depthwise.activation and self._into[nodes[0]]
        if not is_filter or depthwise.normalisation != end.normalisation:
            return None
        expansion, widening = 1.0, self._before(nodes[0])
        if _widens(self._layer(widening), depthwise):
            nodes.insert(0, widening)
            expansion = self._expansion(widening)
            if expansion <= 1:
                return None
        return nodes, _operator(depthwise, expansion, after)

    def _expansion(self, first: int) -> float:
        """Return a node's channels by channel of what it reads, rounded; 0 if not known."""
        if not self._into[first]:
            return 0
        wide, narrow = (
            self._shapes[place] or (0,) for place in (first, self._source[self._into[first][0]])
        )
        return round(wide[0] / narrow[0], 2) if narrow[0] > 0 else 0

    def _around(self, first: int, projection: int) -> int | None:
        """Return the residual edge around a block, or None."""
        reader = self._reader[projection]
        if reader < 0 or len(self._into[first]) != 1:
            return None
        source = self._source[self._into[first][0]]
        if not self._shapes[source] or self._shapes[source] != self._shapes[projection]:
            return None
        if not _SUMS.fullmatch(self._names[self._op[reader]].split("-")[0]):
            return None
        edges = [
            e for e in self._into[reader] if self._source[e] == source and not self.residual[e]
        ]
        return edges[0] if edges else None


def _projects(layer: _Convolution | Term | None) -> bool:
    """Return whether a layer is a pointwise convolution without activation."""
    return isinstance(layer, _Convolution) and layer.pointwise and not layer.activation


def _widens(layer: _Convolution | Term | None, depthwise: _Convolution) -> bool:
    """Return whether a layer is the pointwise convolution before a block's depthwise one."""
    return (
        isinstance(layer, _Convolution)
        and layer.pointwise
        and layer.normalisation == depthwise.normalisation
        and layer.activation == depthwise.activation
    )


def _operator(depthwise: _Convolution, expansion: float, after: tuple[Term, ...]) -> Operator:
    main = Term(
        "inverted residual",
        kernel=depthwise.kernel,
        stride=depthwise.stride,
        dilation=depthwise.dilation,
        expansion=expansion,
    )
    normalisation = Term("normalisation", _LONG[depthwise.normalisation])
    activation = Term("activation", _LONG[depthwise.activation])
    return Operator(main, after=(*after, normalisation, activation))


def _read(name: str) -> _Convolution | Term | None:
    """Read the name of a normalised convolution or a squeeze-and-excitation; None for others."""
    if found := _EXCITATION.fullmatch(name):
        return Term("excitation", reduction=int(found[1] or 0), kernel=_whole(found[2]))
    if not (found := _CONVOLUTION.fullmatch(name)):
        return None
    return _Convolution(
        depthwise=bool(found[1]),
        kernel=_whole(found[2]),
        stride=_whole(found[3]),
        dilation=_whole(found[4]),
        normalisation=found[5],
        activation=found[6] or "",
    )


def _whole(sides: str | None) -> Whole:
    return tuple(map(int, sides.split("x"))) if sides else ()
