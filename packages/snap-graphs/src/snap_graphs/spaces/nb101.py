"""NAS-Bench-101: at most seven vertices and nine edges, vertices are operators."""

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from snap_catalog import SnapError

from snap_graphs.arrays import Bools, Dense, Graphs, Ints
from snap_graphs.canonical import prune
from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.spaces.base import Costs, Point, Space, choice, layer_costs
from snap_graphs.spaces.nb101_cells import distinct_cells
from snap_graphs.structure import alive

LETTERS = {"3": "conv3x3-bn-relu", "1": "conv1x1-bn-relu", "m": "maxpool3x3"}
_TO_LETTER = {name: letter for letter, name in LETTERS.items()}
_MD5_LABEL = {INPUT: -1, OUTPUT: -2, **{name: i for i, name in enumerate(LETTERS.values())}}

MOST_VERTICES, MOST_EDGES = 7, 9
"""Limits on a cell without vertices and edges on no path, as in the benchmark's own reader
(`ModelSpec` prunes, then `NASBench._check_spec` counts)."""
_UPPER = tuple(itertools.combinations(range(MOST_VERTICES), 2))
_ABSENT = 1 / 8
"""Part of an operator coordinate that omits the vertex. Half of all points keep all five, as most
cells of the benchmark have seven vertices."""
_MOST_GIVEN = 128
"""Maximum number of vertices, including those on no path."""
_STRING = re.compile(r"(\d{1,3}):([01]+):([31m]*)", flags=re.ASCII)
_STACKS = ((128, 128, 32), (128, 256, 16), (256, 512, 8))
"""Input channels, output channels and image side of the three stacks of three cells each."""


class NasBench101(Space):
    """The NAS-Bench-101 search space; native string `<n>:<adj_upper>:<ops>`.

    As in the benchmark's own reader, a cell may have vertices on no path. Cell and string keep
    them; size limits, `module_hash` and costs apply to the cell without them.
    """

    name: ClassVar[str] = "nb101"
    n_variables: ClassVar[int] = len(_UPPER) + MOST_VERTICES - 2

    def read(self, text: str) -> Cell:
        """Parse `<n>:<adj_upper>:<ops>`, such as `3:111:m`."""
        match = _STRING.fullmatch(text)
        if match is None:
            raise SnapError(
                f"{text!r:.80} is not a NAS-Bench-101 cell; expected <n>:<adj_upper>:<ops>"
                ", as in 3:111:m"
            )
        size, upper, letters = match.groups()
        return self.cell(int(size), upper, letters)

    def cell(self, size: int, upper: str, letters: str) -> Cell:
        """Build a cell from the columns of a table.

        Args:
            size: number of vertices, n.
            upper: strict upper triangle of the adjacency matrix, row by row, n (n - 1) / 2 digits.
            letters: the n - 2 interior operators: `3`, `1` or `m`.

        Raises:
            SnapError: the lengths disagree, a letter or digit is invalid, or the benchmark has no
                such cell.
        """
        wrong_length = (
            size > _MOST_GIVEN or len(upper) != size * (size - 1) // 2 or len(letters) != size - 2
        )
        if wrong_length or set(upper) - {"0", "1"} or set(letters) - set(LETTERS):
            raise SnapError(
                f"n_vertices {size}, adj_upper {upper!r:.60} and ops {letters!r:.60} are not a "
                f"NAS-Bench-101 cell; adj_upper needs n(n-1)/2 digits 0 or 1, "
                f"ops n-2 letters of 3, 1, m, n at most {_MOST_GIVEN}"
            )
        pairs = itertools.combinations(range(size), 2)
        edges = tuple(itertools.compress(pairs, map(int, upper)))
        cell = Cell((INPUT, *(LETTERS[letter] for letter in letters), OUTPUT), edges)
        module(cell)
        return cell

    def format(self, cell: Cell) -> str:
        """Format a cell as `<n>:<adj_upper>:<ops>`."""
        size, edges = len(cell.nodes), set(cell.edges)
        upper = "".join(str(int(p in edges)) for p in itertools.combinations(range(size), 2))
        letters = "".join(_TO_LETTER[node] for node in cell.nodes[1:-1])
        return f"{size}:{upper}:{letters}"

    def decode(self, point: Point) -> Cell:
        """Discretise 21 edge and 5 operator coordinates so that no vertex is dead.

        A vertex with an operator coordinate below 1/8 is omitted. Edges between the others are
        removed in ascending order: those below 0.5, and more while there are over nine, but never
        the last edge into or out of a vertex.
        """
        names = list(LETTERS.values())
        interior = {
            vertex: names[choice((value - _ABSENT) / (1 - _ABSENT), len(names))]
            for vertex, value in enumerate(point[len(_UPPER) :], start=1)
            if value >= _ABSENT
        }
        place = {v: i for i, v in enumerate((0, *interior, MOST_VERTICES - 1))}
        strength = {
            (place[src], place[dst]): value
            for (src, dst), value in zip(_UPPER, point, strict=False)
            if src in place and dst in place
        }
        nodes = (INPUT, *interior.values(), OUTPUT)
        return prune(Cell(nodes, tuple(sorted(_strongest(strength)))))

    def encode(self, cell: Cell) -> Point:
        """Return a central point among those that decode to the cell without dead vertices."""
        cell = prune(cell)
        size = len(cell.nodes)
        place = [*range(size - 1), MOST_VERTICES - 1]
        edges = {(place[src], place[dst]) for src, dst in cell.edges}
        strength = [0.75 if edge in edges else 0.25 for edge in _UPPER]
        names = list(LETTERS.values())
        shares = [(names.index(node) + 0.5) / len(names) for node in cell.nodes[1:-1]]
        middles = [_ABSENT + share * (1 - _ABSENT) for share in shares]
        return np.array([*strength, *middles, *[_ABSENT / 2] * (MOST_VERTICES - size)])

    def enumerate(self) -> Iterator[Cell]:
        """Yield all 423,624 cells, one per isomorphism class, in the benchmark's form."""
        return distinct_cells(tuple(LETTERS.values()), MOST_VERTICES, MOST_EDGES)

    def count(self) -> int:
        """Return the number of cells of the benchmark (its paper, section 2.1)."""
        return 423_624

    def sample(self, n: int, seed: int | np.random.Generator) -> list[Cell]:
        """Sample n valid seven-vertex matrices and labellings uniformly; remove dead vertices.

        Like the benchmark's own random search, this rejects cells without a path from input to
        output or with more than nine edges. Cells with more matrices are more likely.
        """
        cells: list[Cell] = []
        names, rng = tuple(LETTERS.values()), np.random.default_rng(seed)
        while len(cells) < n:
            edges = list(itertools.compress(_UPPER, rng.random(len(_UPPER)) < 0.5))
            interior = [names[i] for i in rng.integers(len(names), size=MOST_VERTICES - 2)]
            cell = prune(Cell((INPUT, *interior, OUTPUT), tuple(edges)))
            cells += [cell] if _is_allowed(cell) else []
        return cells

    def neighbours(self, cell: Cell) -> Iterator[Cell]:
        """Yield the cells after one edit, without dead vertices.

        An edit adds or removes an edge, changes an operator, or inserts a vertex between two
        others.
        """
        seen = {prune(cell)}
        for edited in _edits(cell):
            near = prune(edited)
            if _is_allowed(near) and near not in seen:
                seen.add(near)
                yield near

    def mutate(self, cell: Cell, rng: np.random.Generator) -> Cell:
        """Sample one of the edits that lead to a neighbour uniformly."""
        edits, before = list(_edits(cell)), prune(cell)
        while True:
            near = prune(edits[rng.integers(len(edits))])
            if _is_allowed(near) and near != before:
                return near

    def costs(self, graphs: Graphs) -> Costs:
        """Count the CIFAR-10 network: 3 stacks of 3 cells, 128 channels first, 10 classes.

        Vertices share the output's channels as the benchmark's own builder divides them; edges
        out of the input carry a 1x1 projection; dead vertices are not built.
        """
        fixed = layer_costs(9 * 3 * 128, 2 * 128, 128, 32) + layer_costs(512 * 10, 10, 10, 1)
        costs = np.repeat(fixed, len(graphs), axis=1)
        is_live = alive(graphs)
        for part in graphs.dense():
            live = is_live[graphs.nodes_of(part.rows)].reshape(part.op.shape)
            edges = part.adjacency & live[:, :, None] & live[:, None, :]
            for first, out, side in _STACKS:
                for entering in (first, out, out):
                    weights, channels = _cell_costs(graphs, part, edges, entering, out)
                    costs[:, part.rows] += layer_costs(weights, 2 * channels, channels, side)
        return Costs(*costs)


def _strongest(strength: dict[tuple[int, int], float]) -> set[tuple[int, int]]:
    """Remove weak edges, but keep an edge into and out of every vertex."""
    edges = set(strength)
    out_of, into = (Counter(edge[end] for edge in edges) for end in (0, 1))
    for edge in sorted(edges, key=lambda edge: (strength[edge], edge)):
        src, dst = edge
        unwanted = strength[edge] < 0.5 or len(edges) > MOST_EDGES
        if unwanted and out_of[src] > 1 and into[dst] > 1:
            edges.remove(edge)
            out_of[src] -= 1
            into[dst] -= 1
    if len(edges) > MOST_EDGES:  # five vertices side by side: the weakest cannot stay
        edges.remove(min(edges, key=lambda edge: (strength[edge], edge)))
    return edges


def module(cell: Cell) -> Cell:
    """Return a cell without vertices on no path from input to output.

    Raises:
        SnapError: no path leads from input to output, or the rest has over 7 vertices or 9 edges.
    """
    pruned = cell if _is_whole(cell) else prune(cell)
    if not pruned.edges:
        raise SnapError("no path leads from the input to the output of the cell; connect them")
    if not _is_allowed(pruned):
        raise SnapError(
            f"the cell has {len(pruned.nodes)} vertices and {len(pruned.edges)} edges on paths "
            f"from input to output; NAS-Bench-101 has at most {MOST_VERTICES} and {MOST_EDGES}"
        )
    return pruned


def _is_whole(cell: Cell) -> bool:
    """Return whether every vertex is on a path.

    In topological order, it is enough that every vertex but the last has an outgoing edge, and
    every vertex but the first an incoming edge.
    """
    sources, targets = ({edge[end] for edge in cell.edges} for end in (0, 1))
    return len(sources) == len(targets) == len(cell.nodes) - 1


def _is_allowed(pruned: Cell) -> bool:
    return 0 < len(pruned.edges) <= MOST_EDGES and len(pruned.nodes) <= MOST_VERTICES


def _edits(cell: Cell) -> Iterator[Cell]:
    nodes, edges = cell.nodes, set(cell.edges)
    for pair in itertools.combinations(range(len(nodes)), 2):
        yield Cell(nodes, tuple(sorted(edges ^ {pair})))
    for place in range(1, len(nodes) - 1):
        for name in LETTERS.values():
            yield Cell((*nodes[:place], name, *nodes[place + 1 :]), cell.edges)
    if len(nodes) < MOST_VERTICES:
        for (src, dst), name in itertools.product(
            itertools.combinations(range(len(nodes)), 2), LETTERS.values()
        ):
            yield _with_vertex(cell, src, dst, name)


def _with_vertex(cell: Cell, src: int, dst: int, name: str) -> Cell:
    """Insert a vertex before `dst`, with an edge from `src` and an edge to `dst`."""
    moved = [(s + (s >= dst), d + (d >= dst)) for s, d in cell.edges]
    nodes = (*cell.nodes[:dst], name, *cell.nodes[dst:])
    return Cell(nodes, tuple(sorted([*moved, (src, dst), (dst, dst + 1)])))


def vertex_channels(edges: Bools, out: int) -> Ints:
    """Return (b, n) output channels of every vertex.

    The vertices before the output share its channels; the first ones get the remainder. Any other
    vertex has the maximum of its successors.
    """
    feeds = edges[:, :, -1].copy()
    feeds[:, 0] = False
    count = np.maximum(feeds.sum(axis=1, keepdims=True), 1)
    extra = np.cumsum(feeds, axis=1) <= out % count
    channels = np.where(feeds, out // count + extra, 0)
    for node in reversed(range(1, edges.shape[1] - 1)):
        widest = (edges[:, node, 1:-1] * channels[:, 1:-1]).max(axis=1, initial=0)
        channels[:, node] = np.where(feeds[:, node], channels[:, node], widest)
    channels[:, 0], channels[:, -1] = 0, out
    return channels


def _cell_costs(
    graphs: Graphs, part: Dense, edges: Bools, entering: int, out: int
) -> tuple[Ints, Ints]:
    """Return (b,) weights and (b,) total output channels of convolutions."""
    channels = vertex_channels(edges, out)
    projected = edges[:, 0, :]
    weights = (projected * channels * entering).sum(axis=1)
    put_out = (projected * channels).sum(axis=1)
    for operator, kernel in (("conv3x3-bn-relu", 3), ("conv1x1-bn-relu", 1)):
        hit = part.op == graphs.index(operator)
        weights += (hit * kernel**2 * channels**2).sum(axis=1)
        put_out += (hit * channels).sum(axis=1)
    return weights, put_out


def module_hash(cell: Cell) -> str:
    """Return NAS-Bench-101's MD5 hash of a cell.

    Vertices on no path are removed. The hash of a vertex starts from out-degree, in-degree and
    label and is updated n times with the sorted hashes of its neighbours; the hash of the cell is
    that of the sorted vertex hashes.

    Raises:
        SnapError: the benchmark has no such cell.
    """
    cell = module(cell)
    size = len(cell.nodes)
    into: list[list[int]] = [[] for _ in range(size)]
    out_of: list[list[int]] = [[] for _ in range(size)]
    for src, dst in cell.edges:
        out_of[src].append(dst)
        into[dst].append(src)
    labels = [_MD5_LABEL[node] for node in cell.nodes]
    hashes = [_md5(str((len(out_of[v]), len(into[v]), labels[v]))) for v in range(size)]
    for _ in range(size):
        hashes = [
            _md5(f"{_joined(hashes, into[v])}|{_joined(hashes, out_of[v])}|{hashes[v]}")
            for v in range(size)
        ]
    return _md5(str(sorted(hashes)))


def _joined(hashes: list[str], vertices: list[int]) -> str:
    return "".join(sorted([hashes[v] for v in vertices]))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
