"""Genotypes of a normal and a reduction cell, and their joint graph.

A genotype lists, for every inner node of a cell, the two operators that it sums and the source of
each: 0 and 1 are the cell's inputs c_{k-2} and c_{k-1}, 2 is the first inner node. The inner nodes
in `concat` form the output of the cell.

The graph shows a normal cell and the reduction cell after it. Its nodes are the two inputs of the
normal cell, the normal cell's operators, the reduction cell's operators, both in the genotype's
order, and the output. The reduction cell's c_{k-2} is the normal cell's c_{k-1}; its c_{k-1} is the
normal cell's output: the operators that the nodes in `concat` sum. The graph's output joins the
outputs of both cells, so that neither is dead if the other ignores it. Positions and edges together
determine the genotype.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from snap_catalog import SnapError

from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.spaces.printed_values import printed_value

Pair = tuple[str, int]
"""An operator and the number of its source node."""

TWO_CELL_SPACES = ("darts", "nds")
"""The spaces whose graphs join two cells."""
MOST_STEPS = 16
"""Maximum number of inner nodes."""
_OTHER_FIELDS = ("connectN", "connects")


class Genotype(NamedTuple):
    """A normal and a reduction cell.

    Attributes:
        normal: two pairs for every inner node.
        normal_concat: the inner nodes of the output, counted from 2, ascending.
        reduce: like `normal`, with the same length.
        reduce_concat: like `normal_concat`.
    """

    normal: tuple[Pair, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Pair, ...]
    reduce_concat: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Number of inner nodes of either cell."""
        return len(self.normal) // 2


def parse_genotype(text: str, indices: Sequence[str]) -> Genotype:
    """Parse a genotype in any common form, without running code.

    The forms are `Genotype(normal=[...], normal_concat=[...], reduce=[...], reduce_concat=[...])`,
    a dictionary, tuple or list of these four, and a pair of cells. A cell is a list (or tuple) of
    pairs, or of groups of two pairs. A pair is (operator, input), (input, operator) or NASLib's
    (input, index of the operator); a following weight, as GDAS prints it, is ignored.

    Args:
        text: the genotype.
        indices: operators by index, for the form without names.

    Raises:
        SnapError: the text is not a genotype.
    """
    try:
        normal, normal_concat, reduce, reduce_concat = _parts(
            printed_value(text, {"Genotype": _named})
        )
        return genotype(normal, normal_concat, reduce, reduce_concat, indices)
    except (TypeError, ValueError, RecursionError) as error:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise SnapError(
            f"{shown!r} is not a genotype ({error}); expected Genotype(normal=[('op', input), "
            "...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))"
        ) from error


def genotype(
    normal: Iterable[Any],
    normal_concat: Iterable[int] | None,
    reduce: Iterable[Any],
    reduce_concat: Iterable[int] | None,
    indices: Sequence[str] = (),
) -> Genotype:
    """Build a genotype from parsed parts; a `concat` of None stands for all inner nodes.

    Raises:
        TypeError, ValueError: the parts are invalid.
    """
    cells = [tuple(_pair(pair, indices) for pair in _flat(cell)) for cell in (normal, reduce)]
    steps = len(cells[0]) // 2
    if not 1 <= steps <= MOST_STEPS or [len(cell) for cell in cells] != [2 * steps] * 2:
        raise ValueError("both cells need the same number of nodes, two pairs each")
    for cell in cells:
        for place, (_, source) in enumerate(cell):
            if not 0 <= source < 2 + place // 2:
                raise ValueError(f"node {2 + place // 2} cannot take its input from {source}")
    outputs = [_concat(concat, steps) for concat in (normal_concat, reduce_concat)]
    return Genotype(cells[0], outputs[0], cells[1], outputs[1])


def _concat(nodes: Iterable[int] | None, steps: int) -> tuple[int, ...]:
    inner = range(2, 2 + steps)
    named = list(inner) if nodes is None else list(nodes)
    known = all(type(node) is int and node in inner for node in named)
    if not named or not known or len(set(named)) < len(named):
        raise ValueError(
            f"concat must name at least one of the nodes 2 to {1 + steps}, without repeats"
        )
    return tuple(sorted(named))


def format_genotype(parts: Genotype) -> str:
    """Format a genotype as the DARTS authors do."""
    normal, reduce = (list(cell) for cell in (parts.normal, parts.reduce))
    return (
        f"Genotype(normal={normal}, normal_concat={_range(parts.normal_concat)}, "
        f"reduce={reduce}, reduce_concat={_range(parts.reduce_concat)})"
    )


def to_cell(parts: Genotype) -> Cell:
    """Return the joint graph of the two cells; see the module."""
    width = 2 * parts.steps
    last = 2 + 2 * width
    outputs = _members(parts.normal_concat, 2)
    edges: list[tuple[int, int]] = []
    for pairs, first, inputs in (
        (parts.normal, 2, ((0,), (1,))),
        (parts.reduce, 2 + width, ((1,), outputs)),
    ):
        for node, (_, source) in enumerate(pairs, start=first):
            feeds = inputs[source] if source < 2 else _members((source,), first)
            edges += [(feed, node) for feed in feeds]
    edges += [(node, last) for node in (*outputs, *_members(parts.reduce_concat, 2 + width))]
    operators = (operator for operator, _ in (*parts.normal, *parts.reduce))
    return Cell((INPUT, INPUT, *operators, OUTPUT), tuple(sorted(edges)))


def to_genotype(cell: Cell) -> Genotype:
    """Return the genotype of a joint graph.

    Raises:
        SnapError: the graph is not a joint graph.
    """
    width, odd = divmod(len(cell.nodes) - 3, 2)
    into: list[list[int]] = [[] for _ in cell.nodes]
    for src, dst in cell.edges:
        into[dst].append(src)
    first, last = (2, 2 + width), len(cell.nodes) - 1
    if not odd and width > 0 and width % 2 == 0:
        pairs = [
            tuple(
                (cell.nodes[node], _source(into[node], start, start == 2))
                for node in range(start, start + width)
            )
            for start in first
        ]
        concats = [
            tuple(sorted({2 + (v - start) // 2 for v in into[last] if 0 <= v - start < width}))
            for start in first
        ]
        found = Genotype(pairs[0], concats[0], pairs[1], concats[1])
        if to_cell(found) == cell:
            return found
    raise SnapError("the graph does not join a normal and a reduction cell")


def _source(feeds: list[int], first: int, normal: bool) -> int:
    """Return the number of the source node of an operator; -1 if there is none."""
    low = min(feeds, default=-1)
    if low >= first:
        return 2 + (low - first) // 2
    return low if normal else min(low, 2) - 1


def _members(nodes: Iterable[int], first: int) -> tuple[int, ...]:
    """Return the positions of the operators that inner nodes sum."""
    pairs = ((first + 2 * (node - 2), first + 2 * (node - 2) + 1) for node in nodes)
    return tuple(itertools.chain.from_iterable(pairs))


def _named(*given: Any, **named: Any) -> dict[str, Any]:
    """Replace the named tuple; that of GDAS has two further fields, which are empty."""
    if len(given) > len(Genotype._fields):
        raise ValueError(f"Genotype has the fields {', '.join(Genotype._fields)}")
    positional = dict(zip(Genotype._fields, given, strict=False))
    twice = positional.keys() & named.keys()
    if twice:
        raise ValueError(f"{min(twice)} is repeated")
    empty = {name for name in _OTHER_FIELDS if name in named and named[name] is None}
    return positional | {name: value for name, value in named.items() if name not in empty}


def _parts(value: Any) -> tuple[Any, ...]:
    """Split a genotype into normal, normal_concat, reduce and reduce_concat."""
    names = Genotype._fields
    if isinstance(value, dict):
        unknown = [name for name in value if name not in names]
        if unknown:
            raise ValueError(f"Genotype has no field {unknown[0]!r:.40}")
        if not {"normal", "reduce"} <= value.keys():
            raise ValueError("normal or reduce is missing")
        return tuple(value.get(name) for name in names)
    if isinstance(value, list | tuple) and len(value) == len(names):
        return tuple(value)
    if isinstance(value, list | tuple) and len(value) == 2:
        return value[0], None, value[1], None
    raise ValueError("it is neither Genotype(...) nor a pair of cells")


def _flat(cell: Any) -> list[Any]:
    """Return a cell's pairs, flattening groups per inner node."""
    if not isinstance(cell, list | tuple):
        raise TypeError("a cell is a list of pairs")
    grouped = all(
        isinstance(group, list | tuple) and all(isinstance(p, list | tuple) for p in group)
        for group in cell
    )
    return list(itertools.chain.from_iterable(cell)) if grouped else list(cell)


def _pair(pair: Any, indices: Sequence[str]) -> Pair:
    if not isinstance(pair, list | tuple) or len(pair) not in (2, 3):
        raise TypeError(f"{pair!r:.40} is not a pair of operator and input")
    first, second, *weights = pair
    if not all(type(weight) in (int, float) for weight in weights):
        raise TypeError(f"{pair!r:.40} has a weight that is not a number")
    if isinstance(first, str) and type(second) is int:
        return first, second
    if type(first) is int and isinstance(second, str):
        return second, first
    if type(first) is int and type(second) is int and 0 <= second < len(indices):
        return indices[second], first
    raise TypeError(f"{pair!r:.40} is not a pair of operator and input")


def _range(nodes: tuple[int, ...]) -> str:
    steps = range(nodes[0], nodes[-1] + 1)
    return f"range({steps.start}, {steps.stop})" if nodes == tuple(steps) else str(list(nodes))
