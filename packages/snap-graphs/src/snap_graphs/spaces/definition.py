"""What a user writes of an own search space: a small TOML file, as the README specifies."""

import itertools
import math
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from snap_catalog import SnapError
from snap_catalog.definition import NAME as NAME
from snap_catalog.definition import described_operators, parse, read_text, space_name
from snap_catalog.errors import excerpt

_KEYS = ("name", "nodes", "inputs", "edges", "in_degree", "operators")
MOST_NODES = 128
"""Nodes that a cell's graph may have, one an operator."""
_MOST_SETS = 10_000

Sources = tuple[int, ...]
"""The nodes that a node takes in, ascending."""


@dataclass(frozen=True)
class Definition:
    """A search space of cells whose edges carry operators.

    Attributes:
        name: the space's name.
        inputs: number of input nodes, which come first.
        sources: by node that takes operators in, the sets of nodes that it may take them from.
        ends: the nodes that make up the output.
        operators: their descriptions by name.
        text: the TOML it was read from.
    """

    name: str
    inputs: int
    sources: tuple[tuple[Sources, ...], ...]
    ends: tuple[int, ...]
    operators: Mapping[str, str]
    text: str


def read_definition(path: str | os.PathLike[str], taken: Collection[str]) -> Definition:
    """Read a file.

    Args:
        path: the TOML file.
        taken: names that the space may not have.

    Raises:
        SnapError: it cannot be read, or defines no space.
    """
    return parse_definition(read_text(path), str(path), taken)


def parse_definition(text: str, source: str, taken: Collection[str]) -> Definition:
    """Read a definition.

    Args:
        text: the TOML.
        source: where it is from, for errors.
        taken: names that the space may not have.

    Raises:
        SnapError: it defines no space; names the source, the key, the value and the remedy.
    """
    return _Reader(source, parse(text, source)).definition(text, taken)


@dataclass(frozen=True)
class _Reader:
    """The entries of a file."""

    source: str
    entries: Mapping[str, Any]

    def definition(self, text: str, taken: Collection[str]) -> Definition:
        for key in self.entries:
            if key not in _KEYS:
                self._refuse(key, f"is not known; the keys are {', '.join(_KEYS)}")
        inputs = self._number("inputs", 1, MOST_NODES - 1, default=1)
        nodes = self._number("nodes", inputs + 1, MOST_NODES)
        sources, ends = self._wiring(nodes, inputs)
        size = inputs + sum(len(sets[0]) for sets in sources) + 1
        if size > MOST_NODES:
            self._refuse(
                "nodes", f"gives a graph of {size} nodes, more than {MOST_NODES}; lower it"
            )
        return Definition(
            space_name(self.entries, self.source, taken),
            inputs,
            sources,
            ends,
            operators=described_operators(self.entries, self.source),
            text=text,
        )

    def _refuse(self, key: str, problem: str) -> NoReturn:
        value = f" = {excerpt(self.entries[key])}" if key in self.entries else ""
        raise SnapError(f"{self.source}: {key}{value} {problem}")

    def _number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value = self.entries.get(key, default)
        if type(value) is not int or not low <= value <= high:
            self._refuse(key, f"must be a whole number from {low} to {high}")
        return int(value)

    def _wiring(self, nodes: int, inputs: int) -> tuple[tuple[tuple[Sources, ...], ...], Sources]:
        """Return the sets of sources of every node, and the nodes that make up the output."""
        if "in_degree" not in self.entries and "edges" not in self.entries:
            self._refuse("edges", 'or in_degree is missing; add one, as edges = "all"')
        if "edges" in self.entries:
            if "in_degree" in self.entries:
                self._refuse("in_degree", "cannot be there beside edges; drop one")
            sets = self._fixed(nodes, inputs)
            return tuple((sources,) for sources in sets), (nodes - 1,)
        inner = range(inputs, nodes - 1)
        if not inner:
            self._refuse("nodes", f"leaves none between {inputs} inputs and the output; raise it")
        return tuple(self._combinations(node, inputs) for node in inner), tuple(inner)

    def _combinations(self, node: int, inputs: int) -> tuple[Sources, ...]:
        degree = self._number("in_degree", 1, MOST_NODES)
        if degree > inputs:
            self._refuse("in_degree", f"is more than the {inputs} inputs; raise inputs or lower it")
        count = math.comb(node, degree)
        if count > _MOST_SETS:
            self._refuse(
                "in_degree",
                f"lets node {node} choose among {count:,} sets of inputs, more than "
                f"{_MOST_SETS:,}; lower in_degree or nodes",
            )
        return tuple(itertools.combinations(range(node), degree))

    def _fixed(self, nodes: int, inputs: int) -> list[Sources]:
        edges = self._edges(nodes, inputs)
        idle = sorted(set(range(nodes - 1)) - {src for src, _ in edges})
        if idle:
            self._refuse("edges", f"has none out of node {idle[0]}; add one")
        sets = [tuple(sorted(s for s, d in edges if d == node)) for node in range(inputs, nodes)]
        if () in sets:
            self._refuse("edges", f"has none into node {inputs + sets.index(())}; add one")
        return sets

    def _edges(self, nodes: int, inputs: int) -> Sequence[tuple[int, int]]:
        value = self.entries["edges"]
        if value == "all":
            return [(src, dst) for dst in range(inputs, nodes) for src in range(dst)]
        if not isinstance(value, list) or not all(map(_is_pair, value)):
            self._refuse("edges", 'must be "all" or a list of pairs of nodes, as [[0, 1], [0, 2]]')
        edges = [(src, dst) for src, dst in value]
        for (src, dst), times in Counter(edges).items():
            if not 0 <= src < dst < nodes or dst < inputs:
                self._refuse(
                    "edges",
                    f"has {excerpt(src)}->{excerpt(dst)}; an edge leads from a lower to a higher "
                    f"node below {nodes} that is no input (a cycle has no such order); turn it "
                    "round or renumber",
                )
            if times > 1:
                self._refuse("edges", f"has {src}->{dst} twice; drop one")
        return edges


def _is_pair(edge: Any) -> bool:
    return isinstance(edge, list) and [type(end) for end in edge] == [int, int]
