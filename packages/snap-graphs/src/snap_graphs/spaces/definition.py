"""Read TOML definitions of search spaces; the README specifies the format."""

import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snap_catalog import SnapError
from snap_catalog.definition import NAME as NAME
from snap_catalog.definition import described_operators, parse, read_text, space_name
from snap_catalog.errors import excerpt

from snap_graphs.cell import NONE
from snap_graphs.spaces.skeleton import DEFAULT, Entries, Skeleton, read_skeleton
from snap_graphs.spaces.unrolled import FIXED_NODES, is_reserved

_KEYS = ("name", "nodes", "inputs", "edges", "in_degree", "operators", "skeleton")
_OPERATOR_KEYS = ("description", "module")
SKIP = "skip_connect"
BUILT_IN = (NONE, SKIP)
"""Operators without user code."""
_MODULE = re.compile(r"[\w./-]+:[^\W\d]\w*")
_CLASS = 'must name a class, such as "package.part:Class" or "file.py:Class"'
_MOST_NODES = 5_000
"""Maximum number of nodes of a network's graph."""
_MOST_CELL_NODES = 128
_MOST_SETS = 10_000

Sources = tuple[int, ...]
"""The source nodes of a node, ascending."""


@dataclass(frozen=True)
class Definition:
    """A search space of cells whose edges carry operators.

    Attributes:
        name: the space's name.
        inputs: number of input nodes, which come first.
        sources: possible source sets of every node with incoming operators.
        ends: the nodes that form the output.
        operators: descriptions by name.
        modules: classes of operators, `package:Class` or `file.py:Class`, by name.
        skeleton: the network around the cells; None if it is unknown.
        text: the TOML.
        source: origin of the text: the file, or a name for errors.
    """

    name: str
    inputs: int
    sources: tuple[tuple[Sources, ...], ...]
    ends: tuple[int, ...]
    operators: Mapping[str, str]
    modules: Mapping[str, str]
    skeleton: Skeleton | None
    text: str
    source: str

    @property
    def cell_operators(self) -> int:
        """Number of operators per cell."""
        return sum(len(sets[0]) for sets in self.sources)

    @property
    def is_macro(self) -> bool:
        """Whether the skeleton has choices, so that a graph is the complete network."""
        return self.skeleton is not None and bool(self.skeleton.options)


def read_definition(path: str | os.PathLike[str], taken: Collection[str]) -> Definition:
    """Read a file.

    Args:
        path: the TOML file.
        taken: names that are not allowed.

    Raises:
        SnapError: the file cannot be read, or is invalid.
    """
    return parse_definition(read_text(path), str(path), taken)


def parse_definition(text: str, source: str, taken: Collection[str]) -> Definition:
    """Read a definition.

    Args:
        text: the TOML.
        source: origin of the text, for errors.
        taken: names that are not allowed.

    Raises:
        SnapError: it is invalid; names the source, the key, the value and the remedy.
    """
    return _Reader(parse(text, source), source, _KEYS).definition(text, taken)


class _Reader(Entries):
    """The entries of a definition."""

    def definition(self, text: str, taken: Collection[str]) -> Definition:
        inputs = self.number("inputs", 1, _MOST_CELL_NODES - 1, default=1)
        nodes = self.number("nodes", inputs + 1, _MOST_CELL_NODES)
        sources, ends = self._wiring(nodes, inputs)
        name = space_name(self.entries, self.source, taken)
        operators = described_operators(self.entries, self.source)
        modules, skeleton = self._modules(), None
        if "skeleton" in self.entries:
            skeleton = read_skeleton(self.entries["skeleton"], self.source)
        elif modules:
            skeleton = DEFAULT
        found = Definition(
            name, inputs, sources, ends, operators, modules, skeleton, text, self.source
        )
        self._check_size(found)
        self._check_operators(found)
        return found

    def _check_size(self, found: Definition) -> None:
        size = found.inputs + found.cell_operators + 1
        if size > _MOST_CELL_NODES:
            self.refuse(
                "nodes", f"gives a graph of {size} nodes, more than {_MOST_CELL_NODES}; decrease it"
            )
        if found.skeleton is None or not found.is_macro:
            return
        cells = (max(stage.repeats) for stage in found.skeleton.stages)
        size = FIXED_NODES + sum(found.inputs + n * found.cell_operators for n in cells)
        if size > _MOST_NODES:
            raise SnapError(
                f"{self.source}: skeleton: gives graphs of up to {size:,} nodes, more than "
                f"{_MOST_NODES:,}; decrease repeats"
            )

    def _modules(self) -> dict[str, str]:
        """Return the classes of operators by name."""
        operators, found = self.entries.get("operators"), {}
        for name, value in operators.items() if isinstance(operators, dict) else ():
            if isinstance(value, dict):
                table = Entries(value, self.source, _OPERATOR_KEYS, f"operators.{name:.40}")
                if "module" in value:
                    found[name] = table.text("module", _MODULE, _CLASS)
        return found

    def _check_operators(self, found: Definition) -> None:
        """Refuse operators without a module if others have one, and reserved names."""
        missing = [name for name in found.operators if name not in (*found.modules, *BUILT_IN)]
        if found.modules and missing:
            raise SnapError(
                f"{self.source}: operators.{missing[0]:.40} has no module, but others have; add one"
            )
        taken = [name for name in found.operators if is_reserved(name)]
        if found.is_macro and taken:
            raise SnapError(
                f"{self.source}: operators.{taken[0]:.40}: the name is reserved for the skeleton; "
                "rename it"
            )

    def _wiring(self, nodes: int, inputs: int) -> tuple[tuple[tuple[Sources, ...], ...], Sources]:
        """Return the source sets of every node, and the nodes that form the output."""
        if "in_degree" not in self.entries and "edges" not in self.entries:
            self.refuse("edges", 'or in_degree is missing; add one, such as edges = "all"')
        if "edges" in self.entries:
            if "in_degree" in self.entries:
                self.refuse("in_degree", "cannot be combined with edges; remove one")
            sets = self._fixed(nodes, inputs)
            return tuple((sources,) for sources in sets), (nodes - 1,)
        inner = range(inputs, nodes - 1)
        if not inner:
            self.refuse(
                "nodes", f"leaves no node between {inputs} inputs and the output; increase it"
            )
        return tuple(self._combinations(node, inputs) for node in inner), tuple(inner)

    def _combinations(self, node: int, inputs: int) -> tuple[Sources, ...]:
        degree = self.number("in_degree", 1, _MOST_CELL_NODES)
        if degree > inputs:
            self.refuse(
                "in_degree", f"is more than the {inputs} inputs; increase inputs or decrease it"
            )
        count = math.comb(node, degree)
        if count > _MOST_SETS:
            self.refuse(
                "in_degree",
                f"gives node {node} a choice of {count:,} source sets, more than "
                f"{_MOST_SETS:,}; decrease in_degree or nodes",
            )
        return tuple(itertools.combinations(range(node), degree))

    def _fixed(self, nodes: int, inputs: int) -> list[Sources]:
        edges = self._edges(nodes, inputs)
        idle = sorted(set(range(nodes - 1)) - {src for src, _ in edges})
        if idle:
            self.refuse("edges", f"has no edge out of node {idle[0]}; add one")
        sets = [tuple(sorted(s for s, d in edges if d == node)) for node in range(inputs, nodes)]
        if () in sets:
            self.refuse("edges", f"has no edge into node {inputs + sets.index(())}; add one")
        return sets

    def _edges(self, nodes: int, inputs: int) -> Sequence[tuple[int, int]]:
        value = self.entries["edges"]
        if value == "all":
            return [(src, dst) for dst in range(inputs, nodes) for src in range(dst)]
        if not isinstance(value, list) or not all(map(_is_pair, value)):
            self.refuse(
                "edges", 'must be "all" or a list of pairs of nodes, such as [[0, 1], [0, 2]]'
            )
        edges = [(src, dst) for src, dst in value]
        for (src, dst), times in Counter(edges).items():
            if not 0 <= src < dst < nodes or dst < inputs:
                self.refuse(
                    "edges",
                    f"has {excerpt(src)}->{excerpt(dst)}; an edge leads from a lower to a higher "
                    f"node below {nodes} that is not an input (a cycle has no such order); reverse "
                    "it or renumber",
                )
            if times > 1:
                self.refuse("edges", f"has {src}->{dst} twice; remove one")
        return edges


def _is_pair(edge: Any) -> bool:
    return isinstance(edge, list) and [type(end) for end in edge] == [int, int]
