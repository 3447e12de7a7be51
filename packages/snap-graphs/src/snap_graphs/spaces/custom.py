"""Search spaces that users define."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from snap_catalog import SnapError
from snap_catalog.extras import require

from snap_graphs.arrays import Graphs
from snap_graphs.cell import Cell, edge_labelled
from snap_graphs.spaces import unrolled
from snap_graphs.spaces.base import Costs, NodeFacts, ProductSpace
from snap_graphs.spaces.definition import Definition
from snap_graphs.spaces.skeleton import Chosen, Skeleton

DEFINITION = "snap.space_definition"
"""Metadata entry with the definition of a table's space."""
_DESCRIPTIONS = "snap.operators"
_MOST_LISTED = 2**16
_PAIR = re.compile(r"([A-Za-z0-9_.-]+)~(\d{1,3})\|", flags=re.ASCII)
_STAGE = re.compile(r"d(\d{1,3})w(\d{1,4})s(\d)", flags=re.ASCII)
_AT = "@"

Labelled = Mapping[tuple[int, int], str]
"""Operators by edge (source, target), sorted by target, then source."""


class Design(NamedTuple):
    """The choices of an architecture.

    Attributes:
        operators: operators of the cell by edge.
        stages: stages of the skeleton; empty if there is none.
    """

    operators: Labelled
    stages: tuple[Chosen, ...]


class CustomSpace(ProductSpace):
    """A space of a user's own operators; native string `|op~0|op~1|+|op~0|op~2|`.

    The string has a group for every node with incoming operators, each with its source node, in
    ascending order. Nodes are numbered from 0, inputs first. If the skeleton has choices, the
    stages follow as `@d2w16s1-d3w32s2` (depth, width, stride), and the graph is the complete
    network; otherwise it is the cell.
    """

    def __init__(self, definition: Definition, *, allow_code: bool = False) -> None:
        """Create the space of a definition.

        Args:
            definition: the definition.
            allow_code: whether the code that it names may be imported, to count and build networks.
        """
        self.definition = definition
        self.allow_code = allow_code
        self._operators = tuple(definition.operators)
        self._groups = tuple(enumerate(definition.sources, start=definition.inputs))
        into = (node for node, sets in self._groups for _ in sets[0])
        self._targets = (*range(definition.inputs), *into)
        """By graph node: the target node of its operator."""

    @property
    def name(self) -> str:
        """The name that the definition gives."""
        return self.definition.name

    @cached_property
    def options(self) -> tuple[int, ...]:
        """By node: the number of source sets, if there are several, then of operators.

        The choices of the skeleton come last.
        """
        counts: list[int] = []
        for _, sets in self._groups:
            counts += [len(sets)] * (len(sets) > 1) + [len(self._operators)] * len(sets[0])
        skeleton = self.definition.skeleton
        return (*counts, *(skeleton.options if skeleton else ()))

    @property
    def enumerable(self) -> bool:
        """Whether there are no more than 65,536 cells."""
        return math.prod(self.options) <= _MOST_LISTED

    @property
    def metadata(self) -> Mapping[str, str]:
        """The definition, and the operators' descriptions as JSON."""
        described = dict(self.definition.operators)
        if self.definition.is_macro and self.definition.skeleton:
            described |= unrolled.descriptions(self.definition.skeleton)
        return {DEFINITION: self.definition.text, _DESCRIPTIONS: json.dumps(described)}

    @property
    def skeleton(self) -> Skeleton:
        """The network around the cells.

        Raises:
            SnapError: it is unknown.
        """
        if self.definition.skeleton is None:
            raise SnapError(
                f"{self.definition.source}: the network around its cells is unknown; give every "
                "operator a module"
            )
        return self.definition.skeleton

    def stages(self, design: Design) -> tuple[Chosen, ...]:
        """Return the stages of an architecture."""
        return design.stages or self.skeleton.choose(iter(()))

    @property
    def withheld_code(self) -> str:
        """Message on code that is named but not imported; else empty."""
        if self.allow_code or not self.definition.modules:
            return ""
        named = ", ".join(dict.fromkeys(self.definition.modules.values()))
        return (
            f"{self.definition.source}: names code ({named:.200}), which is not imported; add "
            f"--allow-code if you trust it, for costs and networks of {self.name}"
        )

    def costs(self, graphs: Graphs) -> Costs | None:
        """Count the networks of the operators' classes; None if these are not imported."""
        if not self.allow_code or not self.definition.modules:
            return None
        require("snap-graphs[torch]", "torch")
        from snap_graphs.torch.build.own_network import network_costs

        return network_costs(self, [self.design(cell) for cell in graphs.cells()])

    def node_facts(self, cells: Sequence[Cell]) -> NodeFacts | None:
        """Return facts of whole networks' nodes; parameters only where code may be imported."""
        if not self.definition.is_macro:
            return None
        definition = self.definition
        size = (definition.inputs, definition.cell_operators)
        designs = [self.design(cell) for cell in cells]
        shapes = [unrolled.node_shapes(self.skeleton, d.stages, *size) for d in designs]
        if not self.allow_code or not definition.modules:
            return NodeFacts(shapes, None, None)
        require("snap-graphs[torch]", "torch")
        from snap_graphs.torch.build.own_network import node_counts

        counts = [node_counts(self, design) for design in designs]
        return NodeFacts(
            shapes,
            params=[[node.params for node in nodes] for nodes in counts],
            flops=[[node.flops for node in nodes] for nodes in counts],
        )

    def read(self, text: str) -> Cell:
        """Read `|op~0|op~1|+|op~0|op~2|`, with `@d2w16s1-...` where the skeleton has choices."""
        head, _, tail = text.partition(_AT)
        labelled = {
            (int(source), node): operator
            for (node, _), group in zip(self._groups, head.split("+"), strict=False)
            for operator, source in _PAIR.findall(group)
        }
        stages = tuple(Chosen(*map(int, numbers)) for numbers in _STAGE.findall(tail))
        fault = self._fault(labelled) or self._stage_fault(stages)
        if fault or self._write(Design(labelled, stages)) != text:
            example = self.format(self.compose([0] * self.n_variables))
            raise SnapError(
                f"{text!r:.80} is not a cell of {self.name} ({fault or 'wrong form'}); expected "
                f"{example} with {', '.join(self._operators)}"
            )
        return self._cell(Design(labelled, stages))

    def format(self, cell: Cell) -> str:
        """Format an architecture; the inverse of `read`."""
        return self._write(self.design(cell))

    def compose(self, choices: Sequence[int]) -> Cell:
        """Build an architecture from the source set and the operators of every node.

        The choices of the skeleton come last.
        """
        left = iter(choices)
        labelled: dict[tuple[int, int], str] = {}
        for node, sets in self._groups:
            sources = sets[next(left)] if len(sets) > 1 else sets[0]
            labelled |= {(source, node): self._operators[next(left)] for source in sources}
        skeleton = self.definition.skeleton
        stages = skeleton.choose(left) if skeleton and self.definition.is_macro else ()
        return self._cell(Design(labelled, stages))

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return the options of an architecture, the inverse of `compose`."""
        labelled, stages = self.design(cell)
        chosen: list[int] = []
        for node, sets in self._groups:
            sources = _sources(labelled, node)
            chosen += [sets.index(sources)] * (len(sets) > 1)
            chosen += [self._operators.index(labelled[source, node]) for source in sources]
        skeleton = self.definition.skeleton
        return (*chosen, *(skeleton.choices(stages) if skeleton and stages else ()))

    def design(self, cell: Cell) -> Design:
        """Return the design of an architecture."""
        definition = self.definition
        stages: tuple[Chosen, ...] = ()
        if definition.is_macro:
            stages, cell = unrolled.fold(cell, definition.inputs, definition.cell_operators)
        feed = {dst: src for src, dst in reversed(cell.edges)}
        operators = {
            (self._targets[feed[node]], self._targets[node]): cell.nodes[node]
            for node in range(definition.inputs, len(cell.nodes) - 1)
        }
        return Design(operators, stages)

    def _cell(self, design: Design) -> Cell:
        inputs = self.definition.inputs
        cell = edge_labelled(design.operators, inputs, self.definition.ends)
        return unrolled.unroll(cell, inputs, design.stages) if design.stages else cell

    def _write(self, design: Design) -> str:
        groups: dict[int, str] = {}
        for (source, node), operator in design.operators.items():
            groups[node] = groups.get(node, "|") + f"{operator}~{source}|"
        stages = "-".join(f"d{s.repeats}w{s.width}s{s.stride}" for s in design.stages)
        return "+".join(groups.values()) + (_AT + stages if stages else "")

    def _stage_fault(self, stages: tuple[Chosen, ...]) -> str:
        """Return why stages do not fit the skeleton; empty if they fit."""
        skeleton = self.definition.skeleton
        if not self.definition.is_macro or skeleton is None:
            return f"no {_AT} is expected" if stages else ""
        return "" if skeleton.has(stages) else "the stages do not fit the skeleton"

    def _fault(self, labelled: Labelled) -> str:
        """Return why operators do not form a cell of the space; empty if they do."""
        unknown = sorted(set(labelled.values()) - set(self._operators))
        if unknown:
            return f"unknown operator {unknown[0]!r:.40}"
        for node, sets in self._groups:
            if _sources(labelled, node) not in sets:
                return f"node {node} takes in {list(_sources(labelled, node))}"
        return ""


def _sources(labelled: Labelled, node: int) -> tuple[int, ...]:
    return tuple(source for source, target in labelled if target == node)
