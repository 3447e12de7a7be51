"""A search space that a user defines."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from snap_catalog import SnapError

from snap_graphs.cell import Cell, edge_labelled
from snap_graphs.spaces.base import ProductSpace
from snap_graphs.spaces.definition import Definition

DEFINITION = "snap.space_definition"
"""The metadata entry of a table that holds the definition of its space."""
_DESCRIPTIONS = "snap.operators"
_MOST_LISTED = 2**16
_PAIR = re.compile(r"([A-Za-z0-9_.-]+)~(\d{1,2})\|", flags=re.ASCII)

_Labelled = Mapping[tuple[int, int], str]
"""Operators by (source, target) of their edge; by target, then source."""


class CustomSpace(ProductSpace):
    """A space of a user's own operators; native string `|op~0|op~1|+|op~0|op~2|`.

    The string has a group for every node that takes operators in, each operator with the node that
    it takes its input from, in ascending order. Nodes are numbered from 0, inputs first.
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._operators = tuple(definition.operators)
        self._groups = tuple(enumerate(definition.sources, start=definition.inputs))
        into = (node for node, sets in self._groups for _ in sets[0])
        self._targets = (*range(definition.inputs), *into)
        """By node of a cell's graph: the node that the operator there leads into."""

    @property
    def name(self) -> str:
        """The name that the definition gives."""
        return self._definition.name

    @cached_property
    def options(self) -> tuple[int, ...]:
        """By node: the number of sets of sources, where there are several; then its operators'."""
        counts: list[int] = []
        for _, sets in self._groups:
            counts += [len(sets)] * (len(sets) > 1) + [len(self._operators)] * len(sets[0])
        return tuple(counts)

    @property
    def n_variables(self) -> int:
        """Number of choices."""
        return len(self.options)

    @property
    def enumerable(self) -> bool:
        """Whether there are no more than 65,536 cells."""
        return math.prod(self.options) <= _MOST_LISTED

    @property
    def metadata(self) -> Mapping[str, str]:
        """The definition, and the operators' descriptions as JSON."""
        described = json.dumps(dict(self._definition.operators))
        return {DEFINITION: self._definition.text, _DESCRIPTIONS: described}

    def read(self, text: str) -> Cell:
        """Read `|op~0|op~1|+|op~0|op~2|`."""
        labelled = {
            (int(source), node): operator
            for (node, _), group in zip(self._groups, text.split("+"), strict=False)
            for operator, source in _PAIR.findall(group)
        }
        fault = self._fault(labelled)
        if fault or _write(labelled) != text:
            example = self.format(self.compose([0] * self.n_variables))
            raise SnapError(
                f"{text!r:.80} is no cell of {self.name} ({fault or 'wrong form'}); expected "
                f"{example} with {', '.join(self._operators)}"
            )
        return self._cell(labelled)

    def format(self, cell: Cell) -> str:
        """Write a cell as `|op~0|op~1|+|op~0|op~2|`."""
        return _write(self._labelled(cell))

    def compose(self, choices: Sequence[int]) -> Cell:
        """Build the cell of, for every node, its set of sources and its operators."""
        left = iter(choices)
        labelled: dict[tuple[int, int], str] = {}
        for node, sets in self._groups:
            sources = sets[next(left)] if len(sets) > 1 else sets[0]
            labelled |= {(source, node): self._operators[next(left)] for source in sources}
        return self._cell(labelled)

    def choices(self, cell: Cell) -> tuple[int, ...]:
        """Return, for every node, the places of its set of sources and of its operators."""
        labelled = self._labelled(cell)
        chosen: list[int] = []
        for node, sets in self._groups:
            sources = _sources(labelled, node)
            chosen += [sets.index(sources)] * (len(sets) > 1)
            chosen += [self._operators.index(labelled[source, node]) for source in sources]
        return tuple(chosen)

    def _cell(self, labelled: _Labelled) -> Cell:
        return edge_labelled(labelled, self._definition.inputs, self._definition.ends)

    def _labelled(self, cell: Cell) -> _Labelled:
        feed = {dst: src for src, dst in reversed(cell.edges)}
        return {
            (self._targets[feed[node]], self._targets[node]): cell.nodes[node]
            for node in range(self._definition.inputs, len(cell.nodes) - 1)
        }

    def _fault(self, labelled: _Labelled) -> str:
        """Tell what makes operators on edges no cell of the space; nothing where they are one."""
        unknown = sorted(set(labelled.values()) - set(self._operators))
        if unknown:
            return f"unknown operator {unknown[0]!r:.40}"
        for node, sets in self._groups:
            if _sources(labelled, node) not in sets:
                return f"node {node} takes in {list(_sources(labelled, node))}"
        return ""


def _sources(labelled: _Labelled, node: int) -> tuple[int, ...]:
    return tuple(source for source, target in labelled if target == node)


def _write(labelled: _Labelled) -> str:
    groups: dict[int, str] = {}
    for (source, node), operator in labelled.items():
        groups[node] = groups.get(node, "|") + f"{operator}~{source}|"
    return "+".join(groups.values())
